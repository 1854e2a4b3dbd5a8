"""What people have chosen, by scope."""

from collections.abc import Awaitable, Callable, Mapping

from sqlalchemy import Connection, bindparam, delete, select

from shared.chat import Cause
from shared.store import codec, notes
from shared.store.notes import Happened
from shared.store.records import Taken
from shared.store.schema import choices
from shared.store.sqlite import insert

Chosen = Mapping[str, Mapping[str, str]]

_new = insert(choices)
_CHOOSE = _new.on_conflict_do_update(
    index_elements=[choices.c.scope, choices.c.name],
    set_={"value": _new.excluded.value, "by": _new.excluded.by, "at": _new.excluded.at},
)
_TAKE_BACK = delete(choices).where(choices.c.scope == bindparam("where"), choices.c.name == bindparam("called"))
_ALL = select(choices.c.scope, choices.c.name, choices.c.value)


def choose(c: Connection, event: Happened, cause: Cause, scope: str, name: str, value: str | None, text: str) -> Taken:
    """Keep a choice, or take it back, and say so."""
    if value is None:
        c.execute(_TAKE_BACK, {"where": scope, "called": name})
    else:
        at = codec.stamp(event.now)
        c.execute(_CHOOSE, {"scope": scope, "name": name, "value": value, "by": cause.author.id, "at": at})
    return notes.notice(c, event, cause.target, text)


def chosen(c: Connection) -> Chosen:
    """Everything that was chosen, by scope and name."""
    found: dict[str, dict[str, str]] = {}
    for row in c.execute(_ALL):
        found.setdefault(row.scope, {})[row.name] = row.value
    return found


class Memory:
    """All choices, read once: every turn asks for them, people make few, and nobody but this process writes them."""

    def __init__(self) -> None:
        self._kept: Chosen | None = None
        self._version = 0

    async def all(self, read: Callable[[], Awaitable[Chosen]]) -> Chosen:
        """The choices; `read` fetches them where they are not known."""
        while self._kept is None:
            version = self._version
            found = await read()
            if version == self._version:
                self._kept = found
        return self._kept

    def forget(self) -> None:
        """Something was chosen: what is known, or being read, is of the past."""
        self._kept = None
        self._version += 1
