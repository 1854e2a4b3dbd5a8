"""Reads what is left after a soak, and says what is wrong with it: one sentence for each fault found."""

import contextlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sandbox import discord
from sandbox.calls import Call
from shared import sentences
from tests.crash.crowd import FULL, Kind, Question, numbers_in
from tests.crash.house import THREAD_BEGINS

BOT = "threadline"
_WORD = re.compile(r"q(\d{4})([ab])\d+")
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
ALONE = (*(sentence for some in INSTEAD.values() for sentence in some), sentences.CRASHED)


def standing(platform: discord.Simulator, place: str) -> list[dict[str, Any]]:
    """The bot's messages that stand in a place, oldest first; none if there is no such place."""
    if platform.world.channel(int(place)) is None:
        return []
    said = [each for each in platform.messages(place) if each["author"] == BOT and each["type"] != THREAD_BEGINS]
    return [each for each in said if not each["deleted"]]


class Reading:
    """What became of every question. `problems` holds what must not be; `fates` counts the answers by kind of end."""

    def __init__(self, platform: discord.Simulator, places: dict[str, list[Question]]) -> None:
        self.problems: list[str] = []
        self.fates: Counter[str] = Counter()
        for place, asked in places.items():
            self._place(place, asked, standing(platform, place))
        self._elsewhere(platform, places)
        self._histories(platform, places)

    def _place(self, place: str, asked: Sequence[Question], messages: list[dict[str, Any]]) -> None:
        left = list(messages)
        for question in asked:
            group: list[dict[str, Any]] = []
            while left and _belongs(left[0]["content"], question, begun=bool(group)):
                group.append(left.pop(0))
            if not group:
                self.problems.append(f"{question.name} ({question.kind}) has no answer in its turn in {place}")
            elif int(group[0]["id"]) < int(question.message):
                self.problems.append(f"{question.name} was answered before it was asked")
            else:
                self._answer(question, [each["content"] for each in group])
        self.problems += [f"too much in {place}: {each['content'][:80]!r} ({each['id']})" for each in left]

    def _answer(self, question: Question, parts: list[str]) -> None:
        text = " ".join(parts)
        wholes = [question.answer(variant) for variant in "ab"]
        if question.kind in FULL and text in wholes:
            self.fates["answered"] += 1
        elif text == sentences.CRASHED:
            self.fates["told: crashed twice"] += 1
        elif text in INSTEAD.get(question.kind, ()) or _partly(text, question.kind, wholes):
            self.fates[f"told: {question.kind}"] += 1
        else:
            shown = [f"{part[:40]}…{part[-160:]}" for part in parts]
            self.problems.append(f"{question.name} ({question.kind}, {question.words} words) was answered with {shown}")

    def _elsewhere(self, platform: discord.Simulator, places: dict[str, list[Question]]) -> None:
        for channel in platform.everything()["channels"]:
            if channel["id"] not in places:
                for each in standing(platform, channel["id"]):
                    self.problems.append(f"misplaced in {channel['name']}: {each['content'][:80]!r}")

    def _histories(self, platform: discord.Simulator, places: dict[str, list[Question]]) -> None:
        """At no time did a message show words of two answers; what was taken away again was no second copy."""
        there = [place for place in places if platform.world.channel(int(place)) is not None]
        for place in there:
            for each in platform.messages(place):
                if each["author"] != BOT:
                    continue
                if each["deleted"]:
                    self.fates["(messages taken away again)"] += 1
                for shown in each["history"]:
                    if len({found.groups() for found in _WORD.finditer(shown["content"])}) > 1:
                        self.problems.append(f"mixed in {place}: {shown['content'][:120]!r}")
                names = {found[1] for shown in each["history"] for found in _WORD.finditer(shown["content"])}
                if len(names) > 1:
                    self.problems.append(f"message {each['id']} in {place} showed answers to {sorted(names)}")


def _belongs(content: str, question: Question, *, begun: bool) -> bool:
    numbers = {int(found[1]) for found in _WORD.finditer(content)}
    if numbers:
        return question.number in numbers
    return content.startswith("*") if begun else content in ALONE


def _partly(text: str, kind: Kind, wholes: list[str]) -> bool:
    """A beginning (or all) of one answer, and below it the note."""
    if kind not in NOTES:
        return False
    said, found, rest = text.partition(f"*{NOTES[kind]}*")
    said = said.rstrip()
    if kind == "limit":
        return bool(found) and not rest and said in wholes
    return bool(found and said) and not rest and any(each.startswith(said) for each in wholes)


def wrong_in_store(file: Path, asked: Sequence[Question], places: int) -> Iterator[str]:
    """Every question is one turn that has ended, every part is shown, every place is one conversation."""
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
        for state, count in store.execute("SELECT state, count(*) FROM turns WHERE ended_at IS NULL GROUP BY state"):
            yield f"{count} turns are still {state}"
        stored = Counter(row[0].rpartition(":")[2] for row in store.execute("SELECT message FROM messages"))
        for question in asked:
            if (count := stored.pop(question.message, 0)) != 1:
                yield f"{question.name} is in the store {count} times"
        if stored:
            yield f"messages in the store that nobody has asked: {stored}"
        for (count,) in store.execute("SELECT count(*) FROM parts WHERE state != 'shown'"):
            if count:
                yield f"{count} parts are not known to be shown"
        for (count,) in store.execute("SELECT count(*) FROM conversations"):
            if count != places:
                yield f"{count} conversations for {places} places"
        for (found,) in store.execute("PRAGMA integrity_check"):
            if found != "ok":
                yield f"the database: {found}"


def wrong_in_prompts(calls: Sequence[Call], places: dict[str, list[Question]]) -> Iterator[str]:
    """Every prompt holds questions of one place, in the order in which they were asked."""
    where = {question.number: place for place, asked in places.items() for question in asked}
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
