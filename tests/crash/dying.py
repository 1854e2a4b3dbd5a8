"""One turn during which the server dies, and what has to be seen in the end."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.anthropic import Script
from sandbox.faults import Moment, Rule
from tests.crash.doubled import says, without
from tests.crash.house import PATIENCE, House, Server
from tests.crash.platforms.base import WHERE, Said, Shown


def words(name: str, count: int) -> str:
    """A text in which a lost, doubled or misplaced word shows."""
    return " ".join(f"{name}{number}" for number in range(count))


@dataclass(frozen=True)
class Turn:
    """A kind of turn: the first attempt's text and pace, and how many commits and calls it has at least and at most.

    `think` is how many seconds pass before the first word. A busy machine leaves previews out and shows a busy sign sooner; the
    marks are written every few seconds.
    """

    text: str
    seconds: float
    think: float
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


BUSY = 0.6
"""Seconds after which the busy sign has been shown."""

_SLACK = {
    "short": Turn(words("a", 8), 0.0, BUSY, sure_commits=7, commits=9, sure_calls=3, calls=4, first_commit=1, first_call=1),
    "streaming": Turn(words("a", 120), 1.7, 0.0, sure_commits=7, commits=9, sure_calls=4, calls=7),
    "two-part": Turn(words("a", 2200), 1.7, 0.0, sure_commits=9, commits=11, sure_calls=5, calls=9, first_commit=6, first_call=5),
}

KINDS: Mapping[str, Mapping[str, Turn]] = {
    "discord": {
        "short": Turn(words("a", 8), 0.0, BUSY, sure_commits=7, commits=9, sure_calls=3, calls=4, first_commit=1, first_call=1),
        "streaming": Turn(words("a", 120), 1.7, 0.0, sure_commits=7, commits=9, sure_calls=4, calls=7),
        "two-part": Turn(
            words("a", 560), 1.7, 0.0, sure_commits=9, commits=11, sure_calls=5, calls=9, first_commit=6, first_call=5
        ),
    },
    "slack": _SLACK,
    "slack-streams": _SLACK,
    "telegram": {
        "short": Turn(words("a", 8), 0.0, BUSY, sure_commits=6, commits=9, sure_calls=2, calls=4, first_commit=1, first_call=1),
        "streaming": Turn(words("a", 120), 1.7, 0.0, sure_commits=6, commits=9, sure_calls=2, calls=5),
        "two-part": Turn(
            words("a", 900), 1.7, 0.0, sure_commits=8, commits=11, sure_calls=3, calls=6, first_commit=6, first_call=3
        ),
    },
}
"""By platform."""


async def ask(house: House, turn: Turn, where: str = WHERE, *, direct: bool = False, again: float = 0.0) -> Said:
    """A person asks; `again` is how many seconds every attempt after the first one streams."""
    house.claude.script(Script(text=turn.text, deltas=24, think=turn.think, seconds=turn.seconds))
    house.claude.default = Script(text=turn.again, deltas=24, seconds=again)
    return await house.platform.ask("user1", "count", where, direct=direct)


async def kill_at_call(house: House, server: Server, number: int, moment: Moment) -> int:
    """Kill the server at its so-manyth call from now on; returns the number of the kill that waits for it."""
    return await house.platform.fault(Rule("kill", path=house.platform.calls, moment=moment, nth=number, pid=server.pid))


def shown(house: House) -> dict[str, list[Shown]]:
    """What the bot shows, by the places where it shows anything."""
    places = {place: house.platform.answers(place) for place in house.platform.places()}
    return {place: answers for place, answers in places.items() if answers}


async def half_shown(house: House, place: str, turn: Turn) -> None:
    """Wait until a part of the first answer stands."""
    await house.platform.see(lambda: 0 < len(says(shown(house).get(place, []))) < len(turn.text), PATIENCE)


def whole(house: House, place: str, turn: Turn) -> list[Shown] | None:
    """The messages of one of the two answers, if it stands whole."""
    return without(shown(house).get(place, []), (turn.text, turn.again), house.spare)


async def finished(house: House, place: str, turn: Turn) -> None:
    """Wait until one of the two answers stands whole."""
    await house.platform.see(lambda: whole(house, place, turn), PATIENCE)


async def look(house: House, place: str, turn: Turn, *, requests: int = 2, settings: Mapping[str, str] | None = None) -> None:
    """Restart, let it come to rest, and check everything that can be seen. `requests`: so often the model was asked at most."""
    server = await house.start(settings=settings)
    await house.connected(server)
    await finished(house, place, turn)
    await house.settled(at_least=1)
    await server.stop()
    kept, everything = whole(house, place, turn), shown(house)
    assert kept is not None, house.log()
    assert list(everything) == [place], house.log()
    # A part that stands twice was begun by one of the attempts.
    for each in everything[place]:
        assert each in kept or each.text in turn.text or each.text in turn.again, each
    assert [each.number for each in kept] == sorted(each.number for each in kept)
    assert [state for state, _ in house.turns()] == ["done"], house.log()
    assert house.platform.suffered <= house.platform.blind * house.kills
    assert len(house.claude.asked()) <= requests
    assert "Traceback" not in house.log()
    print(f"doubled: {len(everything[place]) - len(kept)} in {house.kills} kills")  # noqa: T201  (pytest shows it with -rP)
