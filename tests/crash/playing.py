"""One performance of a scene in the house: what people ask and do in it, and what can be read of it afterwards."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.anthropic import Script
from tests.crash.doubled import says, without
from tests.crash.house import PATIENCE, House, until
from tests.crash.platforms.base import WHERE, Act, Json, Platform, Said, Shown

PERSON = "user1"
NOTHING = Said("", "", "")
ENDED = ("done", "stopped", "failed")


@dataclass(slots=True)
class Play:
    """One performance. Its name is in every text of it, so nothing of another one can be taken for its own."""

    house: House
    name: str
    asked: Said = NOTHING
    """The question, and the place of its answer."""
    given: str = ""
    """The key of what was done: of a press, a command, or a message."""
    waits: str = ""
    """The message that waits behind another one."""
    before: str = ""
    """What stood before that."""
    message: str = ""
    """The message of the answer then."""
    doubled: Sequence[Shown] = ()
    """What the kill has left behind."""

    @property
    def platform(self) -> Platform:
        """Where it is played."""
        return self.house.platform

    # what people do

    async def ask(self, text: str = "count", files: Sequence[Json] = ()) -> None:
        """Ask in a channel; in one of this performance's own where all that is said in one is one conversation."""
        where = WHERE if self.platform.threads else self.name
        if where != WHERE:
            await self.platform.room(where)
        self.asked = await self.platform.ask(PERSON, f"{self.name} {text}", where, files=files)

    async def press(self, button: str) -> None:
        """Press a button under the answer."""
        self.given = await self.platform.press(PERSON, self.shown()[-1].id, button)

    async def call(self, command: str, value: str = "") -> None:
        """Give a command where the answer stands."""
        self.given = await self.platform.command(PERSON, self.asked.place, command, value)

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

    def shown(self) -> list[Shown]:
        """What stands where the answer is, of what was said after the question; nothing if there is none."""
        if not self.asked.place:
            return []
        asked = self.platform.number(self.asked.message)
        return [each for each in self.platform.answers(self.asked.place) if each.number > asked]

    def text(self) -> str:
        """What people read there."""
        return says(self.shown())

    def buttons(self) -> list[str]:
        """Every button that stands there."""
        return [label for each in self.shown() for label in each.buttons if each not in self.doubled]

    def files(self) -> dict[str, str]:
        """The files that stand there, with what is in them."""
        found = [file for message in self.shown() for file in message.files if message not in self.doubled]
        assert len({name for name, _ in found}) == len(found), found
        return {name: self.platform.file(file).decode() for name, file in found}

    async def see(self, what: Callable[[], object]) -> None:
        """Wait until something can be seen."""
        await self.platform.see(what, PATIENCE)

    async def half(self) -> None:
        """Wait until a part of the answer stands, with the button to stop it where that comes soon."""
        await self.see(lambda: self.text() and (self.buttons() == ["Stop"] or not self.platform.stops_soon))

    # what is on file

    def taken(self, *, key: str = "") -> bool:
        """Whether what was done is on file."""
        return bool(self.house.rows("SELECT 1 FROM keys WHERE key LIKE ?", f"{self.given}{key}"))

    async def heard(self, act: Act, key: str = "") -> bool:
        """Whether the server has heard of what was done; what the platform keeps is waited for."""
        if act not in self.platform.once:
            await until(lambda: self.taken(key=key))
        await self.rest()
        return self.taken(key=key)

    def turn(self) -> tuple[int, str]:
        """Number and state of the turn of the question."""
        ((turn, state),) = self.house.rows(
            "SELECT id, state FROM turns JOIN messages ON turn = id WHERE message = ?", self.asked.key
        )
        return turn, state

    async def answered(self) -> None:
        """Wait until the question is on file and every turn has ended."""
        await until(lambda: bool(self.house.rows("SELECT 1 FROM messages WHERE message = ?", self.asked.key)))
        await self.rest()

    async def rest(self) -> None:
        """Wait until every turn has ended."""
        await until(lambda: all(state in ENDED for state, _ in self.house.turns()))

    # what has to be

    def expect(self, texts: Collection[str], buttons: Collection[str] = (), messages: int = 1) -> str:
        """One of these texts stands, in so many messages, with these buttons; returns it."""
        # It is played with one kill at most.
        kept = without(self.shown(), texts, min(1, self.house.spare), messages)
        assert kept is not None, (self.name, self.shown(), self.house.log()[-3000:])
        self.doubled = [each for each in self.shown() if each not in kept]
        assert self.buttons() == list(buttons), self.name
        return says(kept)


def look_over(house: House) -> None:
    """What has to hold for all that was played in a house."""
    platform = house.platform
    parts = [platform.message(key) for (key,) in house.rows("SELECT message FROM parts WHERE state = 'shown'")]
    assert len(set(parts)) == len(parts), "one message is a part of two answers"
    ended_well = house.rows("SELECT * FROM parts JOIN turns ON id = turn WHERE parts.state = 'sending'")
    assert ended_well == []
    standing = {each.id for place in platform.places() for each in platform.answers(place) if each.sort != "asked"}
    unknown = standing - set(parts)
    assert len(unknown) <= house.spare, f"nobody knows of {unknown}"
    print(f"doubled: {len(unknown)} in {house.kills} kills")  # noqa: T201  (pytest shows it with -rP)
    _look_over_spending(house)
    log = house.log()
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]
    assert '"critical"' not in log, [line for line in log.splitlines() if '"critical"' in line]
    # A server that was started moments after a kill does not know what the dead one had just sent.
    assert platform.suffered <= house.kills


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
