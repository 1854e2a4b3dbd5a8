"""What was used up, by whom and where, and what that allows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from shared.backends import Usage
from shared.chat import AuthorId, Channel
from shared.states import advance
from shared.store import codec, past, turns
from shared.store.records import Budget, Final, Share, Spending, Unit
from shared.store.rows import UnknownTurn
from shared.store.schema import conversations, spent, usage
from shared.store.schema import turns as table
from shared.store.sqlite import insert

WARNED_AT = 80
"""Percent of a budget."""

_BITS: Mapping[Unit, int] = {"tokens": 1, "money": 2}
_TURN = (
    select(table.c.state, table.c.tries, table.c.asker, conversations.c.channel, conversations.c.parent)
    .select_from(table.outerjoin(conversations, conversations.c.id == table.c.conversation))
    .where(table.c.id == bindparam("turn"))
)
_USE = insert(usage).on_conflict_do_nothing()
_new = insert(spent)
_ADD = _new.on_conflict_do_update(
    index_elements=[spent.c.month, spent.c.key],
    set_={"tokens": spent.c.tokens + _new.excluded.tokens, "cost": spent.c.cost + _new.excluded.cost},
)
_SPENT = select(spent).where(spent.c.month == bindparam("month"), spent.c.key.in_(bindparam("keys", expanding=True)))
_WARN = (
    update(spent)
    .where(spent.c.month == bindparam("of"), spent.c.key == bindparam("whose"))
    .values(warned=spent.c.warned.op("|")(bindparam("bit")))
)


def over(c: Connection, now: datetime, author: AuthorId, place: Channel, budgets: Sequence[Budget]) -> Share | None:
    """The first of these budgets that is used up for a person in a place."""
    if not budgets:
        return None
    keys = _keys(author, place.parent or place.id)
    rows = _rows(c, now, {keys[one.who] for one in budgets})
    shares = (Share(one, _used(rows.get(keys[one.who]), one.unit), _resets(now)) for one in budgets)
    return next((share for share in shares if share.used >= share.budget.most), None)


def settle(
    c: Connection, now: datetime, turn: int, final: Final, budgets: Sequence[Budget], warn: Callable[[Share], str]
) -> Final:
    """Store what people are to read in the end, and count what it took."""
    row = _found(c, turn)
    turns.set_state(c, turn, advance(row.state, "settle"))
    if (final.usage or row.tries) and _use(c, now, row, turn, row.tries, final.usage, final.backend) and final.usage:
        shares = _warnings(c, now, _keys(row.asker, row.parent or row.channel), final.usage, budgets)
        final = replace(final, note=" ".join(filter(None, (final.note, *map(warn, shares)))))
    if final.condensed and past.outdated(c, turn):
        # What people have changed or taken away meanwhile is summed up in these blocks.
        final = replace(final, blocks=None, condensed=False)
    turns.add_final(c, turn, final)
    return final


def spend(c: Connection, now: datetime, turn: int, tried: int, used: Usage) -> None:
    """Count what a try took that was not settled."""
    _use(c, now, _found(c, turn), turn, tried, used, None)


def spendings(c: Connection, now: datetime, keys: Sequence[str]) -> Mapping[str, Spending]:
    """What was used up in this month."""
    rows = _rows(c, now, keys)
    return {key: Spending(_used(rows.get(key), "tokens"), _used(rows.get(key), "money")) for key in keys}


def _use(
    c: Connection, now: datetime, row: Row[*tuple[Any, ...]], turn: int, tried: int, used: Usage | None, backend: str | None
) -> bool:
    """Count a try once; whether it was not counted yet."""
    channel = row.parent or row.channel
    told = used or Usage("")
    added = c.execute(
        _USE,
        {
            "turn": turn,
            "tried": tried,
            "at": codec.stamp(now),
            "backend": backend,
            "model": None if used is None else used.model,
            "input_tokens": told.input_tokens,
            "output_tokens": told.output_tokens,
            "cache_read_tokens": told.cache_read_tokens,
            "cache_write_tokens": told.cache_write_tokens,
            "cost": told.cost,
            "estimated": int(told.estimated),
            "author": row.asker,
            "channel": channel,
        },
    )
    if added.rowcount != 1:
        return False
    if used is not None:
        more = {"month": _month(now), "tokens": _tokens(used), "cost": used.cost or 0, "warned": 0}
        c.execute(_ADD, [{**more, "key": key} for key in _keys(row.asker, channel).values()])
    return True


def _warnings(c: Connection, now: datetime, keys: Mapping[str, str], used: Usage, budgets: Sequence[Budget]) -> list[Share]:
    """The budgets of which people are to be warned now; they are not warned of them again in this month."""
    wanted = [one for one in budgets if one.who in keys and (_tokens(used) if one.unit == "tokens" else used.cost)]
    if not wanted:
        return []
    rows = _rows(c, now, {keys[one.who] for one in wanted})
    found: list[Share] = []
    for one in wanted:
        row = rows[keys[one.who]]
        used_up = _used(row, one.unit)
        if used_up * 100 >= one.most * WARNED_AT and not row.warned & _BITS[one.unit]:
            c.execute(_WARN, {"of": row.month, "whose": keys[one.who], "bit": _BITS[one.unit]})
            found.append(Share(one, used_up, _resets(now)))
    return found


def _keys(author: str | None, channel: str | None) -> dict[str, str]:
    """Under what is counted, by who has a budget."""
    mine = {} if author is None else {"user": f"user:{author}"}
    return mine | ({} if channel is None else {"channel": f"channel:{channel}"}) | {"all": "all"}


def _rows(c: Connection, now: datetime, keys: Iterable[str]) -> Mapping[str, Row[*tuple[Any, ...]]]:
    return {row.key: row for row in c.execute(_SPENT, {"month": _month(now), "keys": sorted(keys)})}


def _used(row: Row[*tuple[Any, ...]] | None, unit: Unit) -> int:
    return 0 if row is None else row.tokens if unit == "tokens" else row.cost


def _tokens(used: Usage) -> int:
    return used.input_tokens + used.output_tokens + used.cache_read_tokens + used.cache_write_tokens


def _month(now: datetime) -> str:
    return f"{now.astimezone(UTC):%Y-%m}"


def _resets(now: datetime) -> datetime:
    utc = now.astimezone(UTC)
    return datetime(utc.year + utc.month // 12, utc.month % 12 + 1, 1, tzinfo=UTC)


def _found(c: Connection, turn: int) -> Row[*tuple[Any, ...]]:
    row = c.execute(_TURN, {"turn": turn}).one_or_none()
    if row is None:
        raise UnknownTurn(f"there is no turn {turn}")
    return row
