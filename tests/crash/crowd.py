"""The people of the soak: who writes what where, and how the model answers each of them.

Every question carries its number, and every word of its answer carries that number, the variant and its own place, so
that whatever is lost, doubled, mixed up or put in the wrong place can be read off what stands in the chat in the end.
"""

import asyncio
import base64
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Literal

from PIL import Image

from sandbox import anthropic
from sandbox.anthropic import Script
from shared.folding import fold
from tests.crash.platforms.base import WHERE, Platform, Said

Kind = Literal[
    "quick",
    "short",
    "streaming",
    "long",
    "recovers",
    "resets",
    "overload",
    "cut",
    "error",
    "eof",
    "silence",
    "refusal",
    "limit",
    "tools",
    "code",
    "more",
]

KINDS: dict[Kind, int] = {
    "quick": 30, "short": 20, "streaming": 18, "long": 8, "recovers": 4, "resets": 4,
    "overload": 3, "cut": 3, "error": 2, "eof": 2, "silence": 2, "refusal": 2, "limit": 2, "tools": 6, "code": 5,
}  # fmt: skip
"""Kinds of answers, and how frequent they are; "more" is what the button Continue asks for."""

FULL: frozenset[Kind] = frozenset({"quick", "short", "streaming", "long", "recovers", "resets", "tools", "code", "more"})
"""The kinds that end with the whole text and nothing else."""


FOLD = 400
"""Characters of code from which on it is sent as a file."""
PAGE = {"url": "https://one.example/a", "title": "One"}
GOES_ON = "and so on and so forth"


@dataclass(slots=True)
class Question:
    """One message of a person. `place` is where it has to be answered; `nth` is greater for a later one there."""

    number: int
    kind: Kind
    words: int
    seconds: float
    place: str = ""
    message: str = ""
    key: str = ""
    nth: int = 0
    author: str = ""
    commanded: bool = False
    attached: bool = False
    edited: bool = False
    deleted: bool = False

    @property
    def name(self) -> str:
        return f"q{self.number:04d}"

    def answer(self, variant: str) -> str:
        """The whole text of the model: `a` when it is asked first, `b` when it is asked again, `e` when it was edited."""
        if self.kind == "more":
            return GOES_ON
        words = " ".join(f"{self.name}{variant}{place}" for place in range(self.words))
        return (
            f"{words}\n\n```python\n{self.code(variant)}```\n\n{self.name}{variant}{self.words}" if self.kind == "code" else words
        )

    def code(self, variant: str) -> str:
        """The long code block in the answer."""
        return "".join(f"print('{self.name}{variant}{place}')\n" for place in range(60))

    def final(self, variant: str) -> tuple[str, dict[str, str]]:
        """What stands in the end, with the files beside it."""
        whole = self.answer(variant)
        match self.kind:
            case "tools":
                return f"{whole} ([1](<{PAGE['url']}>)).", {f"{variant}.txt": whole}
            case "code":
                return fold(whole, FOLD).text, {"code-1.py": self.code(variant)}
            case _:
                return whole, {}

    def _by_tools(self, variant: str) -> Script:
        file = {"name": f"{variant}.txt", "media_type": "text/plain", "text": self.answer(variant)}
        blocks: list[dict[str, Any]] = [
            {"type": "web_search", "query": self.name, "results": [PAGE], "wait": self.seconds / 2},
            {"type": "code", "command": "make it", "stdout": "ok", "files": [file]},
            {"type": "text", "text": self.answer(variant), "citations": [{"result": 0, "cited_text": "one"}]},
            {"type": "text", "text": "."},
        ]
        return Script(blocks=blocks, seconds=self.seconds)

    def scripts(self) -> Iterator[tuple[Script, int | None]]:
        """How the model takes it, with the number of times."""
        deltas = max(2, min(30, self.words // 3))
        for variant, times in (("a", 1), ("b", None)):
            whole = Script(text=self.answer(variant), deltas=deltas, seconds=self.seconds)
            match self.kind:
                case "recovers" if variant == "a":
                    yield Script(status=529), 1
                    yield whole, times
                case "resets" if variant == "a":
                    yield Script(cut_before=True), 1
                    yield whole, times
                case "overload":
                    yield Script(status=529), None
                case "cut" | "error" | "eof" | "silence":
                    after = deltas // 2
                    yield Script(text=whole.text, deltas=deltas, seconds=self.seconds, ending=self.kind, after=after), times
                case "refusal":
                    yield Script(text=whole.text, deltas=deltas, seconds=self.seconds, stop="refusal"), times
                case "tools":
                    yield self._by_tools(variant), times
                case "limit":
                    yield Script(text=whole.text, deltas=deltas, seconds=self.seconds, stop="max_tokens"), times
                case _:
                    yield whole, times


def questions(dice: random.Random, numbers: range, longest: float) -> list[Question]:
    """Questions of random kinds; an answer streams for at most `longest` seconds."""
    made: list[Question] = []
    for number in numbers:
        kind = dice.choices(list(KINDS), list(KINDS.values()))[0]
        words = {"quick": 8, "short": 30, "long": 330}.get(kind, dice.randint(20, 90))
        seconds = 0.0 if kind == "quick" else dice.uniform(0.0, longest)
        made.append(Question(number, kind, words, seconds, attached=dice.random() < 0.12))
    return made


def teach(claude: anthropic.Simulator, asked: list[Question]) -> None:
    """Script every answer. The newest question goes first: what is not answered is asked again beside it."""
    for question in reversed(asked):
        claude.script(Script(text=question.answer("e"), deltas=4), match=f"{question.name} edited ", times=None)
        for script, times in question.scripts():
            claude.script(script, match=f"{question.name} ", times=times)
    claude.script(Script(text=GOES_ON), match="Continue.", times=None)


@dataclass(slots=True)
class Crowd:
    """People in channels, threads and direct chats."""

    dice: random.Random
    channels: list[str]
    people: list[str]
    guests: list[str]
    """Those who write in private."""
    threads: list[str] = field(default_factory=list[str])
    said: list[Question] = field(default_factory=list[Question])
    asked: dict[str, Question] = field(default_factory=dict[str, Question])
    """What was asked by a command, by the key of that: where it stands is known when it has been answered."""

    stops: set[str] = field(default_factory=set[str])
    """Places where something was stopped: which answer it was is known to the server."""

    @classmethod
    async def gather(cls, dice: random.Random, platform: Platform, channels: int) -> "Crowd":
        """Make three fifths of the channels public ones and the others direct chats."""
        texts = [WHERE, "random"]
        public = channels * 3 // 5
        for number in range(len(texts), public):
            texts.append(f"room{number}")
            await platform.room(texts[-1])
        guests = [f"guest{number}" for number in range(channels - public)]
        for guest in guests:
            await platform.person(guest)
        return cls(dice, texts[:public], [f"user{number}" for number in range(1, 6)], guests)

    async def greet(self, platform: Platform, script: list[Question]) -> list[str]:
        """Every guest says the first thing: a bot learns of a direct chat only when somebody writes in it.

        Where that is so of channels, too, something is said in each: the keys of that are returned.
        """
        others = (
            [] if platform.names_channels else [await platform.say("user1", "not for the bot", each) for each in self.channels]
        )
        for question in script:
            await self._private(platform, question, self.guests[question.number])
        return others

    async def talk(self, platform: Platform, script: list[Question], a_second: float) -> None:
        """Say everything, so many messages a second on average, in bursts. It goes by the clock, whatever the server does."""
        waiting = list(reversed(script))
        while waiting:
            burst = [waiting.pop() for _ in range(min(len(waiting), self.dice.choice((1, 1, 2, 3, 4))))]
            where = self.dice.random()
            for question in burst:
                await self._say(platform, question, burst[0], where)
            await asyncio.sleep(self.dice.expovariate(a_second / len(burst)))

    async def _say(self, platform: Platform, question: Question, first: Question, where: float) -> None:
        text = f"{question.name} {question.kind}"
        question.author = self.dice.choice(self.people)
        files = [picture()] if question.attached else []
        if where < 0.3 or (where < 0.68 and not self._open(platform)):
            await self._private(platform, question, self.guests[first.number % len(self.guests)])
        elif where < 0.68:
            there = self._open(platform)
            place = there[first.number % len(there)]
            self._note(platform, question, await platform.go_on(question.author, place, text, files=files))
        elif where > 0.95 and not files and platform.ask_command:
            key = await platform.ask_by_command(question.author, self.dice.choice(self.channels), text)
            question.commanded = True
            self.asked[key] = question
        else:
            said = await platform.ask(question.author, text, self.dice.choice(self.channels), files=files)
            self.threads.append(said.place)
            self._note(platform, question, said)

    async def _private(self, platform: Platform, question: Question, guest: str) -> None:
        question.author = guest
        files = [picture()] if question.attached else []
        said = await platform.ask(guest, f"{question.name} {question.kind}", direct=True, files=files)
        self._note(platform, question, said)

    def _note(self, platform: Platform, question: Question, said: Said) -> None:
        question.message, question.key, question.place = said.message, said.key, said.place
        question.nth = platform.number(said.message)
        self.said.append(question)

    def _open(self, platform: Platform) -> list[str]:
        """The newest threads that people can see."""
        return [each for each in self.threads[-30:] if platform.open(each)][-20:]

    def resolve(self, platform: Platform) -> None:
        """Find out where the questions of /ask stand. One that came to a dead server was never asked."""
        for key, question in list(self.asked.items()):
            if (said := platform.asked_by_command(key)) is not None:
                self.threads.append(said.place)
                self._note(platform, question, said)
                del self.asked[key]

    def places(self) -> dict[str, list[Question]]:
        """What was asked in each place, in order."""
        found: dict[str, list[Question]] = {}
        for question in sorted(self.said, key=lambda each: each.nth):
            found.setdefault(question.place, []).append(question)
        return found


def picture() -> dict[str, str]:
    """A file to attach."""
    data = BytesIO()
    Image.new("RGB", (8, 8), "red").save(data, "PNG")
    return {"name": "p.png", "media_type": "image/png", "content_base64": base64.b64encode(data.getvalue()).decode()}


def numbers_in(body: Any) -> list[int]:
    """The numbers of the questions in a prompt, in order."""
    return [int(found) for found in re.findall(r'"text": "(?:[^"]+: )?q(\d{4}) ', json.dumps(body))]
