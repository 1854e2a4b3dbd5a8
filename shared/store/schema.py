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

HEAD = "0003"
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
    Column("place", Words, nullable=False),
    Column("title", Words, nullable=False),
    Column("opened_at", Integer, nullable=False),
    Column("heard_at", Integer, nullable=False),
    Column("closed_at", Integer),
    Column("why", Text),
    CheckConstraint("(closed_at IS NULL) = (why IS NULL)", name="closed_for_a_reason"),
)
_open = conversations.c.closed_at.is_(None)
Index("conversations_open", conversations.c.channel, unique=True, sqlite_where=_open)
Index("conversations_open_parent", conversations.c.parent, sqlite_where=_open)
Index("conversations_open_space", conversations.c.platform, conversations.c.space, sqlite_where=_open)
Index("conversations_open_heard", conversations.c.platform, conversations.c.heard_at, sqlite_where=_open)
Index("conversations_of_channel", conversations.c.channel, conversations.c.heard_at)
Index("conversations_below", conversations.c.parent, conversations.c.heard_at, sqlite_where=conversations.c.parent.is_not(None))

turns = Table(
    "turns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("platform", Words, nullable=False),
    Column("conversation", Text, ForeignKey("conversations.id")),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("again", Integer, nullable=False),
    Column("hidden", Integer, nullable=False),
    Column("asker", Words),
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
    Column("album", Words),
    Column("sent_at", Integer, nullable=False),
    PrimaryKeyConstraint("turn", "ordinal"),
)
Index("messages_by_id", messages.c.message, messages.c.turn)

# `made` is what the model gets of the file, as JSON; `blob` names the bytes that it needs.
files = Table(
    "files",
    metadata,
    Column("turn", Integer, ForeignKey("turns.id"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("nth", Integer, nullable=False),
    Column("ref", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("media_type", Words, nullable=False),
    Column("size", Integer, nullable=False),
    Column("quoted", Integer, nullable=False),
    Column("made", Words),
    Column("blob", Words),
    Column("problem", Words),
    PrimaryKeyConstraint("turn", "ordinal", "nth"),
    CheckConstraint("made IS NOT NULL OR blob IS NULL", name="bytes_of_what_was_made"),
    CheckConstraint("made IS NULL OR problem IS NULL", name="made_or_not"),
    sqlite_with_rowid=False,
)
Index("files_by_blob", files.c.blob, sqlite_where=files.c.blob.is_not(None))

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
    Column("condensed", Integer, nullable=False),
    Column("buttons", Words),
    Column("files", Words),
    Column("failure", Words),
    Column("detail", Words),
    Column("thoughts", Words),
    CheckConstraint("outcome IN ('done', 'stopped', 'failed')", name="outcome_known"),
)
Index("finals_with_files", finals.c.turn, sqlite_where=finals.c.files.is_not(None))

parts = Table(
    "parts",
    metadata,
    Column("turn", Integer, ForeignKey("turns.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("channel", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Words),
    Column("begun_at", Integer, nullable=False),
    PrimaryKeyConstraint("turn", "kind", "ordinal"),
    CheckConstraint("kind IN ('text', 'file')", name="kind_known"),
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
    Column("channel", Words),
    Column("author", Words),
    PrimaryKeyConstraint("platform", "key"),
    sqlite_with_rowid=False,
)
Index("keys_by_age", keys.c.at)
# Only the first key of an event has these, so that it is counted once.
Index("keys_of_channel", keys.c.channel, keys.c.at, sqlite_where=keys.c.channel.is_not(None))
Index("keys_of_author", keys.c.author, keys.c.at, sqlite_where=keys.c.author.is_not(None))

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

# One row for each try whose end is known. No model: it has used up nothing. `cost` is in millionths of a US dollar.
usage = Table(
    "usage",
    metadata,
    Column("turn", Integer, ForeignKey("turns.id"), nullable=False),
    Column("tried", Integer, nullable=False),
    Column("at", Integer, nullable=False),
    Column("backend", Words),
    Column("model", Words),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("cache_read_tokens", Integer, nullable=False),
    Column("cache_write_tokens", Integer, nullable=False),
    Column("cost", Integer),
    Column("estimated", Integer, nullable=False),
    Column("author", Words),
    Column("channel", Words),
    PrimaryKeyConstraint("turn", "tried"),
    sqlite_with_rowid=False,
)

# The sums of `usage` by month ("2026-11"). `warned` has a bit for each unit of which people were warned.
spent = Table(
    "spent",
    metadata,
    Column("month", Text, nullable=False),
    Column("key", Words, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("cost", Integer, nullable=False),
    Column("warned", Integer, nullable=False),
    PrimaryKeyConstraint("month", "key"),
    sqlite_with_rowid=False,
)

choices = Table(
    "choices",
    metadata,
    Column("scope", Words, nullable=False),
    Column("name", Words, nullable=False),
    Column("value", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", Integer, nullable=False),
    PrimaryKeyConstraint("scope", "name"),
    sqlite_with_rowid=False,
)

summaries = Table(
    "summaries",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False),
    Column("upto", Integer, nullable=False),
    Column("text", Words, nullable=False),
    Column("at", Integer, nullable=False),
    PrimaryKeyConstraint("conversation", "upto"),
    sqlite_with_rowid=False,
)

# Signs on questions that wait, from before one is left until after it is taken away.
signs = Table(
    "signs",
    metadata,
    Column("turn", Integer, ForeignKey("turns.id"), primary_key=True),
    Column("message", Words, nullable=False),
)

# Channels that have become others, as the settings may still name them.
moves = Table(
    "moves",
    metadata,
    Column("platform", Words, nullable=False),
    Column("old", Words, nullable=False),
    Column("new", Words, nullable=False),
    PrimaryKeyConstraint("platform", "old"),
    sqlite_with_rowid=False,
)
