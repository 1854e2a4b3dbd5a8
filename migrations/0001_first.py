"""The first schema: conversations, their turns and parts, what was seen, and silences that were asked for."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """
CREATE TABLE blocks (
    scope TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (scope)
)
 WITHOUT ROWID
""",
    """CREATE INDEX blocks_by_end ON blocks (until)""",
    """
CREATE TABLE conversations (
    id TEXT NOT NULL,
    platform TEXT NOT NULL,
    channel TEXT NOT NULL,
    parent TEXT,
    space TEXT,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    why TEXT,
    PRIMARY KEY (id),
    CONSTRAINT closed_for_a_reason CHECK ((closed_at IS NULL) = (why IS NULL))
)
""",
    """CREATE UNIQUE INDEX conversations_open ON conversations (channel) WHERE closed_at IS NULL""",
    """CREATE INDEX conversations_open_parent ON conversations (parent) WHERE closed_at IS NULL""",
    """CREATE INDEX conversations_open_space ON conversations (platform, space) WHERE closed_at IS NULL""",
    """
CREATE TABLE heard (
    platform TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (platform)
)
 WITHOUT ROWID
""",
    """
CREATE TABLE keys (
    platform TEXT NOT NULL,
    "key" TEXT NOT NULL,
    decision TEXT NOT NULL,
    turn INTEGER,
    at INTEGER NOT NULL,
    PRIMARY KEY (platform, "key")
)
 WITHOUT ROWID
""",
    """CREATE INDEX keys_by_age ON keys (at)""",
    """
CREATE TABLE marks (
    platform TEXT NOT NULL,
    channel TEXT NOT NULL,
    place TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (platform, channel)
)
 WITHOUT ROWID
""",
    """
CREATE TABLE turns (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    platform TEXT NOT NULL,
    conversation TEXT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    handle TEXT,
    place TEXT,
    size INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    ended_at INTEGER,
    CONSTRAINT kind_known CHECK (kind IN ('ask', 'notice')),
    CONSTRAINT asked_in_a_conversation CHECK ((kind = 'ask') = (conversation IS NOT NULL)),
    CONSTRAINT ended_in_time CHECK ((ended_at IS NULL) = (state IN ('queued', 'running', 'stopping', 'answered'))),
    CONSTRAINT state_known CHECK (state IN ('queued', 'running', 'stopping', 'answered', 'done', 'stopped', 'failed')),
    FOREIGN KEY(conversation) REFERENCES conversations (id)
)
""",
    """CREATE INDEX turns_notices_ended ON turns (ended_at) WHERE kind = 'notice'""",
    """CREATE INDEX turns_of_conversation ON turns (conversation, id)""",
    """CREATE INDEX turns_unfinished ON turns (conversation, id) WHERE ended_at IS NULL""",
    """
CREATE TABLE finals (
    turn INTEGER NOT NULL,
    size INTEGER NOT NULL,
    stop TEXT,
    outcome TEXT NOT NULL,
    backend TEXT,
    text TEXT NOT NULL,
    note TEXT NOT NULL,
    blocks TEXT,
    usage TEXT,
    failure TEXT,
    detail TEXT,
    PRIMARY KEY (turn),
    CONSTRAINT outcome_known CHECK (outcome IN ('done', 'stopped', 'failed')),
    FOREIGN KEY(turn) REFERENCES turns (id)
)
""",
    """
CREATE TABLE messages (
    turn INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    message TEXT NOT NULL,
    author TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    quoted TEXT,
    attachments TEXT,
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (turn, ordinal),
    FOREIGN KEY(turn) REFERENCES turns (id)
)
""",
    """
CREATE TABLE parts (
    turn INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    message TEXT,
    begun_at INTEGER NOT NULL,
    PRIMARY KEY (turn, ordinal),
    CONSTRAINT shown_with_its_id CHECK ((state = 'sending' AND message IS NULL) OR (state = 'shown' AND message IS NOT NULL)),
    FOREIGN KEY(turn) REFERENCES turns (id)
)
 WITHOUT ROWID
""",
    """CREATE INDEX parts_of_channel ON parts (channel, state, begun_at)""",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
