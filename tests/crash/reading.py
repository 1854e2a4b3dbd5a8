"""Reads what is left after a soak, and says what is wrong with it: one sentence for each fault found."""

import contextlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from sandbox.calls import Call
from shared import sentences
from tests.crash.crowd import FULL, GOES_ON, Crowd, Kind, Question, numbers_in
from tests.crash.platforms.base import Platform, Shown

_WORD = re.compile(r"q(\d{4})([abe])\d+")
_KEPT = "The answer above is incomplete. "
_BROKE_OFF = "The connection to Claude broke off. Ask again in a moment."
_OVERLOADED = "Claude is overloaded. Ask again in a moment."
NOTES: dict[Kind, str] = {
    "cut": _KEPT + _BROKE_OFF,
    "eof": _KEPT + _BROKE_OFF,
    "error": _KEPT + _OVERLOADED,
    "silence": _KEPT + "Claude stopped sending. Ask again in a moment.",
    "limit": sentences.CUT,
}
"""What is said below a part of an answer."""
INSTEAD: dict[Kind, tuple[str, ...]] = {
    # Its last try may meet another fault.
    "overload": (_OVERLOADED, "Claude cannot be reached. Ask again in a moment."),
    "refusal": (sentences.REFUSED,),
}
"""What is said in place of an answer."""
ALONE = (*(sentence for some in INSTEAD.values() for sentence in some), sentences.CRASHED, sentences.STOPPED, GOES_ON)
PRESSABLE: dict[str, tuple[str, ...]] = {
    sentences.CUT: ("Continue",),
    _KEPT + _BROKE_OFF: ("Continue", "Retry"),
    NOTES["silence"]: ("Continue", "Retry"),
    NOTES["error"]: ("Retry",),
    sentences.STOPPED: ("Continue", "Retry"),
}
"""The buttons under an answer with this note."""


class Reading:
    """What became of every question. `problems` holds what must not be; `fates` counts the answers by kind of end."""

    def __init__(
        self,
        platform: Platform,
        crowd: Crowd,
        places: dict[str, list[Question]],
        owners: Mapping[str, str],
        unlucky: Collection[int] = (),
        notices: Collection[str] = (),
        kills: int = 0,
    ) -> None:
        """`owners` says to which message another one is an answer, by the store; it is asked where a text says nothing.

        `notices` are the messages that say something of ours, as the answer to a command that was written. Where it cannot be
        found out if something was posted, each of so many `kills` may have left one message behind.

        `unlucky` are the numbers of questions that met so many planted faults that they may have been given up.
        """
        self.owners = owners
        self.stops = crowd.stops
        self.unlucky = unlucky
        self.notices = notices
        self.spare = 0 if platform.finds else kills
        self.said = platform.said
        self.problems: list[str] = []
        self.fates: Counter[str] = Counter()
        for place, asked in places.items():
            self._place(place, asked, self._standing(platform, place))
        self._elsewhere(platform, places)
        self._histories(platform, places)

    def unspelt(self, text: str, place: str) -> str:
        """The text, or the sentence of ours that it is."""
        return next((each for each in ALONE if self.said(each, place) == text), text)

    def _standing(self, platform: Platform, place: str) -> list[Shown]:
        """What stands there beside what is judged with the commands."""
        return [each for each in platform.answers(place) if each.sort == "reply" and each.id not in self.notices]

    def _place(self, place: str, asked: Sequence[Question], messages: list[Shown]) -> None:
        left = list(messages)
        if place in self.stops:
            # After /new what was stopped is told beside the answers of the next conversation: the order holds in each of them.
            order = {question.key: nth for nth, question in enumerate(asked)}
            left.sort(key=lambda each: order.get(self.owners.get(each.id, ""), -1))
        for question in asked:
            group: list[Shown] = []
            while left and _belongs(
                left[0], question, self.owners, begun=bool(group), sentence=self.unspelt(left[0].text, place)
            ):
                group.append(left.pop(0))
            if not group and question.deleted:
                self.fates["deleted and not answered"] += 1
            elif not group:
                self.problems.append(f"{question.name} ({question.kind}) has no answer in its turn in {place}")
            elif group[0].number < question.nth:
                self.problems.append(f"{question.name} was answered before it was asked")
            else:
                self._best(question, group)
        self.problems += [f"too much in {place}: {each.text[:80]!r} ({each.id})" for each in left]

    def _best(self, question: Question, group: list[Shown]) -> None:
        """Judge an answer; where a kill may have left a message behind, without one of them if it is right then."""
        problems, fates = list(self.problems), self.fates.copy()
        self._answer(question, group)
        if len(self.problems) == len(problems) or not self.spare:
            return
        found = list(self.problems), self.fates
        for nth in range(len(group)):
            self.problems, self.fates = list(problems), fates.copy()
            self._answer(question, [*group[:nth], *group[nth + 1 :]])
            if len(self.problems) == len(problems) and len(group) > 1:
                self.spare -= 1
                self.fates["(doubled)"] += 1
                return
        self.problems, self.fates = found

    def _answer(self, question: Question, group: list[Shown]) -> None:
        parts = [each.text for each in group if each.text]
        text = self.unspelt(" ".join(parts), question.place)
        bare = _bare(text)
        self.fates["(told that the history is too long)"] += bare != text
        text = bare
        files = [name for each in group for name, _ in each.files]
        variants = "abe" if question.edited else "ab"
        wholes = [question.answer(variant) for variant in variants]
        finals = {text: list(files) for text, files in (question.final(variant) for variant in variants)}
        if question.edited:
            finals[question.answer("e")] = []
        buttons = {label for each in group for label in each.buttons}
        wanted = {"Retry"}
        if question.kind in FULL and text in finals:
            self.fates["answered"] += 1
            wanted = set[str]()
            if files != finals[text]:
                self.problems.append(f"{question.name} ({question.kind}) has the files {files}")
        elif question.edited and text == question.answer("e"):
            self.fates["answered as edited"] += 1
            wanted = set[str]()
        elif text == sentences.CRASHED:
            self.fates["told: crashed twice"] += 1
        elif (question.place in self.stops or question.deleted) and _stopped(text, [*wholes, *finals]):
            self.fates["stopped"] += 1
            # Under a question that was taken away while its answer grew, nothing can be pressed.
            wanted = buttons if question.deleted and not buttons else _buttons(text)
        elif question.kind != "overload" and question.number in self.unlucky and text in INSTEAD["overload"]:
            self.fates["told: too many faults"] += 1
        elif text in INSTEAD.get(question.kind, ()) or _partly(text, question.kind, wholes):
            self.fates[f"told: {question.kind}"] += 1
            wanted = set[str]() if text == sentences.REFUSED else _buttons(text)
        else:
            shown = [f"{part[:40]}…{part[-160:]}" for part in parts]
            self.problems.append(f"{question.name} ({question.kind}, {question.words} words) was answered with {shown}")
            return
        last = next(each for each in reversed(group) if each.text)
        if buttons != wanted or len(last.buttons) != len(buttons):
            self.problems.append(f"{question.name} ({question.kind}) has the buttons {buttons}, not {wanted}: {text[-80:]!r}")

    def _elsewhere(self, platform: Platform, places: dict[str, list[Question]]) -> None:
        for place in platform.places():
            if place not in places:
                for each in self._standing(platform, place):
                    self.problems.append(f"misplaced in {place}: {each.text[:80]!r}")

    def _histories(self, platform: Platform, places: dict[str, list[Question]]) -> None:
        """At no time did a message show words of two answers; what was taken away again was no second copy."""
        for place in places:
            for each in platform.messages(place):
                self.fates["(messages taken away again)"] += each.deleted
                for shown in each.history:
                    if len({found.groups() for found in _WORD.finditer(shown)}) > 1:
                        self.problems.append(f"mixed in {place}: {shown[:120]!r}")
                names = {found[1] for shown in each.history for found in _WORD.finditer(shown)}
                if len(names) > 1:
                    self.problems.append(f"message {each.id} in {place} showed answers to {sorted(names)}")


def _belongs(message: Shown, question: Question, owners: Mapping[str, str], *, begun: bool, sentence: str) -> bool:
    content = message.text
    if not content:
        return begun and bool(message.files)
    numbers = {int(found[1]) for found in _WORD.finditer(content)}
    if numbers:
        return question.number in numbers
    if question.kind == "more" and content.startswith(GOES_ON):
        return not begun and owners.get(message.id) == question.key
    if begun:
        return content.startswith("*")
    return _bare(sentence) in ALONE and owners.get(message.id) == question.key


def _bare(text: str) -> str:
    """The text without the line that the history is too long."""
    return text.replace(f"\n\n*{sentences.LEFT_OUT}*", "").replace(f" {sentences.LEFT_OUT}", "")


def _stopped(text: str, wholes: list[str]) -> bool:
    """A beginning of one answer, or nothing of it, and below it that it was stopped."""
    said = text.removesuffix(f"*{sentences.STOPPED}*").rstrip()
    if text == sentences.STOPPED or said == text:
        return text == sentences.STOPPED
    # A beginning is shown with what is open in it closed, and without what a tool had put behind it.
    bare = re.sub(r"[`\s]*$", "", re.sub(r"\n\n\*The whole code.*", "", said, flags=re.DOTALL))
    return any(each.startswith(bare) for each in wholes)


def _buttons(text: str) -> set[str]:
    found = next((buttons for note, buttons in PRESSABLE.items() if text.endswith(f"*{note}*")), ("Retry",))
    return set(found)


def _partly(text: str, kind: Kind, wholes: list[str]) -> bool:
    """A beginning (or all) of one answer, and below it the note."""
    if kind not in NOTES:
        return False
    said, found, rest = text.partition(f"*{NOTES[kind]}*")
    said = said.rstrip()
    if kind == "limit":
        return bool(found) and not rest and said in wholes
    return bool(found and said) and not rest and any(each.startswith(said) for each in wholes)


def wrong_in_store(file: Path, asked: Sequence[Question]) -> Iterator[str]:
    """Every question is one turn that has ended, every part is shown, every place is one conversation, but for /new."""
    sure, places = (len({each.place for each in some}) for some in ([each for each in asked if not each.deleted], asked))
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        for state, count in store.execute("SELECT state, count(*) FROM turns WHERE ended_at IS NULL GROUP BY state"):
            yield f"{count} turns are still {state}"
        asked_there = store.execute("SELECT message FROM messages WHERE text != ?", (sentences.CONTINUE,))
        stored = Counter(row[0] for row in asked_there)
        for question in asked:
            count = stored.pop(question.key, 0)
            if count != 1 and not (question.deleted and not count):
                yield f"{question.name} is in the store {count} times"
        if stored:
            yield f"messages in the store that nobody has asked: {stored}"
        for (count,) in store.execute("SELECT count(*) FROM parts WHERE state != 'shown'"):
            if count:
                yield f"{count} parts are not known to be shown"
        for count, closed in store.execute("SELECT count(*), count(*) FILTER (WHERE why = 'new') FROM conversations"):
            if not sure <= count <= places + closed:
                yield f"{count} conversations, {closed} of them closed, for {places} places"
        for turn, tries, counted in store.execute(
            "SELECT id, tries, count(usage.turn) FROM turns LEFT JOIN usage ON usage.turn = id AND tried > 0 "
            "WHERE kind = 'ask' GROUP BY id HAVING tries != count(usage.turn)"
        ):
            yield f"turn {turn} was tried {tries} times and counted {counted} times"
        for counted, summed in store.execute(
            "SELECT (SELECT sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens) FROM usage "
            "WHERE model IS NOT NULL), (SELECT sum(tokens) FROM spent WHERE key = 'all')"
        ):
            if counted != summed:
                yield f"the tries used up {counted} tokens, and the sum is {summed}"
        for (found,) in store.execute("PRAGMA integrity_check"):
            if found != "ok":
                yield f"the database: {found}"


def wrong_in_commands(platform: Platform, file: Path, kills: int) -> Iterator[str]:
    """Every command that the server has heard of is answered once, and no other is.

    What one person alone reads is in no history: where it cannot be repeated without harm a kill may double it.
    """
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        known = {row[0] for row in store.execute("SELECT key FROM keys")}
    for key, name, count in platform.commands_answered():
        if count == 2 and platform.doubles_asides and kills:
            kills -= 1
        elif count != (1 if key in known else 0):
            yield f"{name} ({key}, {'known' if key in known else 'unknown'}) has {count} answers"


def unlucky(calls: Sequence[Call]) -> Collection[int]:
    """The questions of which every try of an attempt may have failed: `retries` of the backend are 3."""
    failed = Counter(numbers[-1] for call in calls if call.status != 200 and (numbers := numbers_in(call.body)))
    return {number for number, count in failed.items() if count >= 4}


def owners(platform: Platform, file: Path) -> Mapping[str, str]:
    """The messages that are answers, with the keys of what they answer."""
    query = "SELECT parts.message, messages.message FROM parts JOIN messages ON parts.turn = messages.turn"
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        return {platform.message(part): asked for part, asked in store.execute(query) if part}


def notices(platform: Platform, file: Path) -> Collection[str]:
    """The messages that say something of our own."""
    query = "SELECT parts.message FROM parts JOIN turns ON parts.turn = turns.id WHERE turns.kind = 'notice'"
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        return {platform.message(part) for (part,) in store.execute(query) if part}


def gone_on(platform: Platform, file: Path) -> Iterator[Question]:
    """What people have asked by the button Continue."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        rows = list(store.execute("SELECT message FROM messages WHERE text = ?", (sentences.CONTINUE,)))
    for (message,) in rows:
        place, nth = platform.pressed(message)
        yield Question(-1, "more", 0, 0.0, place=place, key=message, nth=nth)


def never_fetched(file: Path) -> Collection[str]:
    """The messages whose files were not fetched before the last attempt at their turn ended with a kill."""
    query = (
        "SELECT message FROM files JOIN messages USING (turn, ordinal) JOIN turns ON turns.id = files.turn "
        "WHERE state = 'failed' AND made IS NULL AND problem IS NULL"
    )
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        return {message for (message,) in store.execute(query)}


def wrong_in_prompts(calls: Sequence[Call], places: dict[str, list[Question]], never_fetched: Collection[str]) -> Iterator[str]:
    """Every prompt holds questions of one place, in the order in which they were asked, each with its picture if it has one.

    `never_fetched` names the messages whose pictures nobody can have.
    """
    where = {question.number: place for place, asked in places.items() for question in asked}
    attached = {
        question.number
        for asked in places.values()
        for question in asked
        if question.attached and question.key not in never_fetched
    }
    for call in calls:
        if call.body is None:
            continue  # an old one
        numbers = numbers_in(call.body)
        if not numbers:
            yield "a prompt without a question"
        if len({where.get(number) for number in numbers}) > 1:
            yield f"a prompt mixes places: {numbers}"
        if numbers != sorted(set(numbers)):
            yield f"a prompt is out of order: {numbers}"
        if (images := json.dumps(call.body).count('"type": "image"')) != len(attached.intersection(numbers)):
            yield f"a prompt has {images} pictures: {numbers}"


def wrong_in_log(log: str, secrets: Sequence[str]) -> Iterator[str]:
    """No traceback, no secret, nothing that our own code has failed at."""
    if "Traceback" in log:
        yield "a traceback in the log"
    for secret in secrets:
        if secret in log:
            yield "a secret in the log"
    for line in log.splitlines():
        if '"critical"' in line:
            yield f"critical in the log: {line[:300]}"
        if not line.startswith("{"):
            yield f"not a line of the log: {line[:300]}"


def lines(log: str) -> Counter[str]:
    """How often each event stands in the log."""
    return Counter(json.loads(line).get("event", "")[:60] for line in log.splitlines() if line.startswith("{"))
