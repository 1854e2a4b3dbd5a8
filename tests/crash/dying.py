"""One turn during which the server dies, and what has to be seen in the end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.anthropic import Script
from sandbox.faults import Moment, Rule
from tests.crash.house import PATIENCE, House, Server

CALLS = r"/channels/"


def words(name: str, count: int) -> str:
    """A text in which a lost, doubled or misplaced word shows."""
    return " ".join(f"{name}{number}" for number in range(count))


@dataclass(frozen=True)
class Turn:
    """A kind of turn: the first attempt's text and pace, and how many commits and calls it has at least and at most.

    A busy machine leaves previews out and shows a busy sign sooner; the marks are written every few seconds.
    """

    text: str
    seconds: float
    sure_commits: int
    commits: int
    sure_calls: int
    calls: int
    first_commit: int = 4
    first_call: int = 3
    """What comes before is killed in another kind: the question is stored, the turn begun, the thread opened, a part shown."""

    @property
    def again(self) -> str:
        """What a second attempt says: of the same kind and nowhere the same."""
        return self.text.replace("a", "b")


KINDS = {
    "short": Turn(words("a", 8), 0.0, sure_commits=7, commits=9, sure_calls=3, calls=4, first_commit=1, first_call=1),
    "streaming": Turn(words("a", 120), 2.2, sure_commits=7, commits=9, sure_calls=4, calls=7),
    "two-part": Turn(words("a", 560), 2.2, sure_commits=9, commits=11, sure_calls=5, calls=9, first_commit=6, first_call=5),
}


async def ask(house: House, turn: Turn, where: str = "general", *, direct: bool = False, again: float = 0.0) -> dict[str, Any]:
    """A person asks; `again` is how many seconds every attempt after the first one streams."""
    house.claude.script(Script(text=turn.text, deltas=24, seconds=turn.seconds))
    house.claude.default = Script(text=turn.again, deltas=24, seconds=again)
    return await house.discord.say("user1", where, "@threadline count", direct=direct)


async def kill_at_call(house: House, server: Server, number: int, moment: Moment) -> str:
    """Kill the server at its so-manyth call from now on; returns the name under which the kill waits for it."""
    return str(await house.discord.fault(Rule("kill", path=CALLS, moment=moment, nth=number, pid=server.pid)))


def shown(house: House) -> dict[str, str]:
    """What the bot shows, by the places where it shows anything."""
    places = {channel["id"]: house.answers(channel["id"]) for channel in house.discord.everything()["channels"]}
    return {place: " ".join(each["content"] for each in answers) for place, answers in places.items() if answers}


async def half_shown(house: House, place: str, turn: Turn) -> None:
    """Wait until a part of the first answer stands."""

    def half() -> bool:
        text = shown(house).get(place, "")
        return 0 < len(text) < len(turn.text)

    await house.discord.wait_for(half, PATIENCE)


async def finished(house: House, place: str, turn: Turn) -> None:
    """Wait until one of the two answers stands whole."""
    await house.discord.wait_for(lambda: shown(house).get(place) in (turn.text, turn.again), PATIENCE)


async def look(house: House, place: str, turn: Turn, *, requests: int = 2, settings: Mapping[str, str] | None = None) -> None:
    """Restart, let it come to rest, and check everything that can be seen. `requests`: so often the model was asked at most."""
    server = await house.start(settings=settings)
    await house.connected(server)
    await finished(house, place, turn)
    await house.settled(at_least=1)
    await server.stop()
    assert shown(house) in ({place: turn.text}, {place: turn.again}), house.log()
    assert [each["content"] for each in house.answers(place)] == [
        each["content"] for each in sorted(house.answers(place), key=lambda each: int(each["id"]))
    ]
    assert [state for state, _ in house.turns()] == ["done"], house.log()
    assert house.discord.stats()["suffered"] == 0
    assert len(house.claude.asked()) <= requests
    assert "Traceback" not in house.log()
