"""Rows as records, and the faults of those who ask for what is not there."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.store import codec
from shared.store.records import Asked, Final, Waiting
from shared.store.schema import turns


class UnknownTurn(LookupError):
    """There is no such turn: a fault in our own code."""


class UnknownPart(LookupError):
    """A part that was never begun: a fault in our own code."""


waiting_columns = (
    turns.c.id,
    turns.c.platform,
    turns.c.conversation,
    turns.c.kind,
    turns.c.state,
    turns.c.channel,
)


def waiting(row: Row[*tuple[Any, ...]]) -> Waiting:
    """The turn of a row of `waiting_columns`."""
    return Waiting(
        row.id,
        row.platform,
        None if row.conversation is None else UUID(row.conversation),
        row.kind,
        row.state,
        row.channel,
    )


def asked(row: Row[*tuple[Any, ...]]) -> Asked:
    """The message of a row of `messages`."""
    return Asked(
        row.message,
        row.author,
        row.name,
        row.text,
        codec.load_quoted(row.quoted),
        codec.load_attachments(row.attachments),
        codec.moment(row.sent_at),
    )


def final(row: Row[*tuple[Any, ...]]) -> Final:
    """The final of a row of `finals`."""
    model, put, got, cache_read, cache_write = (None, 0, 0, 0, 0) if row.usage is None else codec.load(row.usage)
    return Final(
        text=row.text,
        outcome=row.outcome,
        note=row.note,
        stop=row.stop,
        blocks=codec.load_blocks(row.blocks),
        backend=row.backend,
        model=model,
        input_tokens=put,
        output_tokens=got,
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        failure=row.failure,
        detail=row.detail,
    )
