"""The tables. `migrations/` builds them; a test holds the two together.

Times are whole microseconds since 1970 in UTC. Conversations are UUIDs as text. What is JSON is written by `codec`.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
)

from shared.store.codec import clean

HEAD = "0001"
"""The revision of `migrations/` that this program works with."""


class Words(TypeDecorator[str]):
    """Any text. This is the one place where lone surrogates, which UTF-8 cannot carry, become U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text as it is stored."""
        return None if value is None else clean(value)


metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("platform", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("parent", Words),
    Column("space", Words),
    Column("opened_at", Integer, nullable=False),
    Column("closed_at", Integer),
    Column("why", Text),
    CheckConstraint("(closed_at IS NULL) = (why IS NULL)", name="closed_for_a_reason"),
)
_open = conversations.c.closed_at.is_(None)
Index("conversations_open", conversations.c.channel, unique=True, sqlite_where=_open)
Index("conversations_open_parent", conversations.c.parent, sqlite_where=_open)
Index("conversations_open_space", conversations.c.platform, conversations.c.space, sqlite_where=_open)

turns = Table(
    "turns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("platform", Words, nullable=False),
    Column("conversation", Text, ForeignKey("conversations.id")),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("channel", Words, nullable=False),
    Column("target", Words, nullable=False),
    Column("handle", Words),
    Column("place", Words),
    Column("size", Integer, nullable=False),
    Column("queued_at", Integer, nullable=False),
    Column("ended_at", Integer),
    CheckConstraint("kind IN ('ask', 'notice')", name="kind_known"),
    CheckConstraint("(kind = 'ask') = (conversation IS NOT NULL)", name="asked_in_a_conversation"),
    CheckConstraint("(ended_at IS NULL) = (state IN ('queued', 'running', 'stopping', 'answered'))", name="ended_in_time"),
    CheckConstraint("state IN ('queued', 'running', 'stopping', 'answered', 'done', 'stopped', 'failed')", name="state_known"),
    # A number that was given once is never given again: it is part of the keys that a platform sees.
    sqlite_autoincrement=True,
)
Index("turns_of_conversation", turns.c.conversation, turns.c.id)
Index("turns_unfinished", turns.c.conversation, turns.c.id, sqlite_where=turns.c.ended_at.is_(None))
Index("turns_notices_ended", turns.c.ended_at, sqlite_where=turns.c.kind == "notice")

messages = Table(
    "messages",
    metadata,
    Column("turn", Integer, ForeignKey("turns.id"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("message", Words, nullable=False),
    Column("author", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("quoted", Words),
    Column("attachments", Words),
    Column("sent_at", Integer, nullable=False),
    PrimaryKeyConstraint("turn", "ordinal"),
)

finals = Table(
    "finals",
    metadata,
    Column("turn", Integer, ForeignKey("turns.id"), primary_key=True),
    Column("size", Integer, nullable=False),
    Column("stop", Words),
    Column("outcome", Text, nullable=False),
    Column("backend", Words),
    Column("text", Words, nullable=False),
    Column("note", Words, nullable=False),
    Column("blocks", Words),
    Column("usage", Words),
    Column("failure", Words),
    Column("detail", Words),
    CheckConstraint("outcome IN ('done', 'stopped', 'failed')", name="outcome_known"),
)

parts = Table(
    "parts",
    metadata,
    Column("turn", Integer, ForeignKey("turns.id"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("channel", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Words),
    Column("begun_at", Integer, nullable=False),
    PrimaryKeyConstraint("turn", "ordinal"),
    CheckConstraint(
        "(state = 'sending' AND message IS NULL) OR (state = 'shown' AND message IS NOT NULL)", name="shown_with_its_id"
    ),
    sqlite_with_rowid=False,
)
Index("parts_of_channel", parts.c.channel, parts.c.state, parts.c.begun_at)

# No reference from `turn` to turns: keys go before their turns, and a reference would make each deletion of a turn look for them.
keys = Table(
    "keys",
    metadata,
    Column("platform", Words, nullable=False),
    Column("key", Words, nullable=False),
    Column("decision", Text, nullable=False),
    Column("turn", Integer),
    Column("at", Integer, nullable=False),
    PrimaryKeyConstraint("platform", "key"),
    sqlite_with_rowid=False,
)
Index("keys_by_age", keys.c.at)

heard = Table(
    "heard",
    metadata,
    Column("platform", Words, primary_key=True),
    Column("at", Integer, nullable=False),
    sqlite_with_rowid=False,
)

marks = Table(
    "marks",
    metadata,
    Column("platform", Words, nullable=False),
    Column("channel", Words, nullable=False),
    Column("place", Words, nullable=False),
    Column("message", Words, nullable=False),
    PrimaryKeyConstraint("platform", "channel"),
    sqlite_with_rowid=False,
)

blocks = Table(
    "blocks",
    metadata,
    Column("scope", Words, primary_key=True),
    Column("until", Integer, nullable=False),
    sqlite_with_rowid=False,
)
Index("blocks_by_end", blocks.c.until)
