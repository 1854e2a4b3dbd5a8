"""One performance of a scene in the house: what people ask and do in it, and what can be read of it afterwards."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sandbox.anthropic import Script
from sandbox.discord.model import LOADING
from tests.crash.house import PATIENCE, House, until

BOT, PERSON, WHERE = "threadline", "user1", "general"
ENDED = ("done", "stopped", "failed")
ASKED = 20
"""Message type CHAT_INPUT_COMMAND (Discord developer docs, Message Types): the question of an /ask."""


@dataclass(slots=True)
class Play:
    """One performance. Its name is in every text of it, so nothing of another one can be taken for its own."""

    house: House
    name: str
    asked: str = ""
    """The id of the question, and of the thread of its answer."""
    given: str = ""
    """The number in the key of what was done: of an interaction, or of a message."""
    before: str = ""
    """What stood before that."""
    message: str = ""
    """The message of the answer then."""

    # what people do

    async def ask(self, text: str = "count", **more: Any) -> None:
        """Ask in a channel; the answer comes in a thread."""
        view = await self.house.discord.say(PERSON, WHERE, f"@threadline {self.name} {text}", **more)
        self.asked = str(view["id"])

    async def press(self, button: str) -> None:
        """Press a button under the answer."""
        view = await self.house.discord.press(PERSON, self.shown()[-1]["id"], button)
        self.given = str(view["id"])

    async def call(self, command: str, where: str, **options: str) -> None:
        """Give a command."""
        view = await self.house.discord.call(PERSON, command, where, options)
        self.given = str(view["id"])

    # what the model says

    def words(self, variant: str, count: int = 8) -> str:
        """A text in which a lost, doubled, mixed or misplaced word shows."""
        return " ".join(f"{self.name}{variant}{number}" for number in range(count))

    def teach(self, *scripts: Script, match: str = "") -> None:
        """Answer this performance's questions by these in turn, the last one for ever; what is taught first goes first."""
        *first, last = scripts
        for script in first:
            self.house.claude.script(script, match=f"{self.name} {match}")
        self.house.claude.script(last, match=f"{self.name} {match}", times=None)

    def asked_model(self) -> list[Any]:
        """The bodies of the requests about this performance, in order."""
        return [body for body in self.house.claude.bodies() if f"{self.name} " in json.dumps(body["messages"][-1])]

    # what can be seen

    def shown(self) -> list[dict[str, Any]]:
        """What stands in the thread of the answer; nothing if there is none."""
        there = self.asked and self.house.discord.world.channel(int(self.asked)) is not None
        return self.house.answers(self.asked) if there else []

    def text(self) -> str:
        """What people read there."""
        return " ".join(each["content"] for each in self.shown() if each["content"])

    def buttons(self) -> list[str]:
        """Every button that stands there."""
        return [label for each in self.shown() for label in each["buttons"]]

    def files(self) -> dict[str, str]:
        """The files that stand there, with what is in them."""
        files = self.house.discord.world.files
        found = [each for message in self.shown() for each in message["attachments"]]
        assert len({each["filename"] for each in found}) == len(found), found
        return {each["filename"]: (files.read(int(each["id"])) or b"").decode() for each in found}

    async def see(self, what: Callable[[], object]) -> None:
        """Wait until something can be seen."""
        await self.house.discord.wait_for(what, PATIENCE)

    async def half(self) -> None:
        """Wait until a part of the answer stands, with the button to stop it."""
        await self.see(lambda: self.text() and self.buttons() == ["Stop"])

    # what is on file

    def taken(self, *, key: str = "") -> bool:
        """Whether what was done is on file."""
        return bool(self.house.rows("SELECT 1 FROM keys WHERE key LIKE ?", f"discord:{self.given}{key}"))

    def turn(self) -> tuple[int, str]:
        """Number and state of the turn of the question."""
        ((turn, state),) = self.house.rows(
            "SELECT id, state FROM turns JOIN messages ON turn = id WHERE message = ?", f"discord:{self.asked}"
        )
        return turn, state

    async def answered(self) -> None:
        """Wait until the question is on file and every turn has ended."""
        await until(lambda: bool(self.house.rows("SELECT 1 FROM messages WHERE message = ?", f"discord:{self.asked}")))
        await self.rest()

    async def rest(self) -> None:
        """Wait until every turn has ended."""
        await until(lambda: all(state in ENDED for state, _ in self.house.turns()))

    # what has to be

    def expect(self, texts: Collection[str], buttons: Collection[str] = (), messages: int = 1) -> str:
        """One of these texts stands, in so many messages, with these buttons; returns it."""
        assert self.text() in texts, (self.name, self.shown(), self.house.log()[-3000:])
        assert self.buttons() == list(buttons), self.name
        assert len(self.shown()) == messages, self.name
        return self.text()


def look_over(house: House) -> None:
    """What has to hold for all that was played in a house."""
    parts = [message.partition(":")[2] for (message,) in house.rows("SELECT message FROM parts WHERE state = 'shown'")]
    assert len(set(parts)) == len(parts), "one message is a part of two answers"
    ended_well = house.rows("SELECT * FROM parts JOIN turns ON id = turn WHERE parts.state = 'sending'")
    assert ended_well == []
    standing = {
        each["id"]
        for channel in house.discord.everything()["channels"]
        for each in house.answers(channel["id"])
        if each["type"] != ASKED and not each["flags"] & LOADING
    }
    assert standing <= set(parts), f"nobody knows of {standing - set(parts)}"
    _look_over_spending(house)
    log = house.log()
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]
    assert '"critical"' not in log, [line for line in log.splitlines() if '"critical"' in line]
    assert house.discord.stats()["suffered"] == 0


def _look_over_spending(house: House) -> None:
    """Each try is counted once, and the sums are those of the tries."""
    for turn, tries, state in house.rows("SELECT id, tries, state FROM turns WHERE kind = 'ask'"):
        tried = [row[0] for row in house.rows("SELECT tried FROM usage WHERE turn = ? AND tried > 0 ORDER BY tried", turn)]
        assert tried == list(range(1, tries + 1)), f"turn {turn} ({state}) was tried {tries} times and counted for {tried}"
    ((counted,),) = house.rows(
        "SELECT sum(input_tokens + output_tokens + cache_read_tokens + cache_write_tokens) FROM usage WHERE model IS NOT NULL"
    )
    ((summed,),) = house.rows("SELECT sum(tokens) FROM spent WHERE key = 'all'")
    assert counted == summed
    ((exact,),) = house.rows("SELECT count(*) FROM usage WHERE estimated = 0 AND output_tokens > 0")
    whole = [call for call in house.claude.asked() if call.notes.get("outcome") == "whole"]
    # What came whole may still have been lost before it was on file, and is estimated then.
    assert exact <= len(whole)
