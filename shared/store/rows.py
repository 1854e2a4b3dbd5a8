"""Rows as records, and the faults of those who ask for what is not there."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.backends import Usage
from shared.chat import Attachment
from shared.store import codec
from shared.store.records import Asked, Final, Kept, Part, Waiting
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


def kept(row: Row[*tuple[Any, ...]]) -> Kept:
    """The file of a row of `files`."""
    made = None if row.made is None else codec.load_material(row.made)
    return Kept(row.nth, Attachment(row.ref, row.name, row.media_type, row.size), bool(row.quoted), made, row.problem)


def asked(row: Row[*tuple[Any, ...]], files: Sequence[Kept]) -> Asked:
    """The message of a row of `messages`, with its files."""
    return Asked(
        row.ordinal,
        row.message,
        row.author,
        row.name,
        row.text,
        codec.load_quoted(row.quoted, tuple(one.attachment for one in files if one.quoted)),
        tuple(files),
        codec.moment(row.sent_at),
    )


def part(row: Row[*tuple[Any, ...]]) -> Part:
    """The part of a row of `parts`."""
    return Part(row.ordinal, row.state, row.message, row.channel, codec.moment(row.begun_at), row.kind)


def final(row: Row[*tuple[Any, ...]], used: Usage | None) -> Final:
    """The final of a row of `finals`, with the usage of its try."""
    return Final(
        text=row.text,
        outcome=row.outcome,
        note=row.note,
        buttons=codec.load_buttons(row.buttons),
        files=codec.load_made(row.files),
        stop=row.stop,
        blocks=codec.load_blocks(row.blocks),
        condensed=bool(row.condensed),
        backend=row.backend,
        usage=used,
        failure=row.failure,
        detail=row.detail,
        thoughts=row.thoughts or "",
    )


def used(row: Row[*tuple[Any, ...]]) -> Usage | None:
    """The usage of a row of `usage`; None if the try has used up nothing."""
    if row.model is None:
        return None
    return Usage(
        row.model,
        row.input_tokens,
        row.output_tokens,
        row.cache_read_tokens,
        row.cache_write_tokens,
        row.cost,
        bool(row.estimated),
    )
