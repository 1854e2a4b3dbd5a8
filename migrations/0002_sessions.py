"""What a session is made of: files, edits, what was spent, what was chosen, and conversations that can be taken up again."""

import json

from alembic import op
from sqlalchemy import Connection

revision = "0002"
down_revision = "0001"

OLD = ("conversations", "turns", "messages", "finals", "parts", "keys")
OLD_INDEXES = (
    "conversations_open",
    "conversations_open_parent",
    "conversations_open_space",
    "turns_notices_ended",
    "turns_of_conversation",
    "turns_unfinished",
    "parts_of_channel",
    "keys_by_age",
)

STATEMENTS = (
    """
CREATE TABLE conversations (
    id TEXT NOT NULL,
    platform TEXT NOT NULL,
    channel TEXT NOT NULL,
    parent TEXT,
    space TEXT,
    place TEXT NOT NULL,
    title TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    heard_at INTEGER NOT NULL,
    closed_at INTEGER,
    why TEXT,
    PRIMARY KEY (id),
    CONSTRAINT closed_for_a_reason CHECK ((closed_at IS NULL) = (why IS NULL))
)
""",
    """CREATE INDEX conversations_below ON conversations (parent, heard_at) WHERE parent IS NOT NULL""",
    """CREATE INDEX conversations_of_channel ON conversations (channel, heard_at)""",
    """CREATE UNIQUE INDEX conversations_open ON conversations (channel) WHERE closed_at IS NULL""",
    """CREATE INDEX conversations_open_heard ON conversations (platform, heard_at) WHERE closed_at IS NULL""",
    """CREATE INDEX conversations_open_parent ON conversations (parent) WHERE closed_at IS NULL""",
    """CREATE INDEX conversations_open_space ON conversations (platform, space) WHERE closed_at IS NULL""",
    """
CREATE TABLE turns (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    platform TEXT NOT NULL,
    conversation TEXT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    again INTEGER NOT NULL,
    hidden INTEGER NOT NULL,
    asker TEXT,
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
CREATE TABLE keys (
    platform TEXT NOT NULL,
    "key" TEXT NOT NULL,
    decision TEXT NOT NULL,
    turn INTEGER,
    at INTEGER NOT NULL,
    channel TEXT,
    author TEXT,
    PRIMARY KEY (platform, "key")
)
 WITHOUT ROWID
""",
    """CREATE INDEX keys_by_age ON keys (at)""",
    """CREATE INDEX keys_of_author ON keys (author, at) WHERE author IS NOT NULL""",
    """CREATE INDEX keys_of_channel ON keys (channel, at) WHERE channel IS NOT NULL""",
    """
CREATE TABLE messages (
    turn INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    message TEXT NOT NULL,
    author TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    quoted TEXT,
    album TEXT,
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (turn, ordinal),
    FOREIGN KEY(turn) REFERENCES turns (id)
)
""",
    """CREATE INDEX messages_by_id ON messages (message, turn)""",
    """
CREATE TABLE files (
    turn INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    nth INTEGER NOT NULL,
    ref TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    quoted INTEGER NOT NULL,
    made TEXT,
    blob TEXT,
    problem TEXT,
    PRIMARY KEY (turn, ordinal, nth),
    CONSTRAINT bytes_of_what_was_made CHECK (made IS NOT NULL OR blob IS NULL),
    CONSTRAINT made_or_not CHECK (made IS NULL OR problem IS NULL),
    FOREIGN KEY(turn) REFERENCES turns (id)
)
 WITHOUT ROWID
""",
    """CREATE INDEX files_by_blob ON files (blob) WHERE blob IS NOT NULL""",
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
    condensed INTEGER NOT NULL,
    buttons TEXT,
    files TEXT,
    failure TEXT,
    detail TEXT,
    thoughts TEXT,
    PRIMARY KEY (turn),
    CONSTRAINT outcome_known CHECK (outcome IN ('done', 'stopped', 'failed')),
    FOREIGN KEY(turn) REFERENCES turns (id)
)
""",
    """CREATE INDEX finals_with_files ON finals (turn) WHERE files IS NOT NULL""",
    """
CREATE TABLE parts (
    turn INTEGER NOT NULL,
    kind TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    message TEXT,
    begun_at INTEGER NOT NULL,
    PRIMARY KEY (turn, kind, ordinal),
    CONSTRAINT kind_known CHECK (kind IN ('text', 'file')),
    CONSTRAINT shown_with_its_id CHECK ((state = 'sending' AND message IS NULL) OR (state = 'shown' AND message IS NOT NULL)),
    FOREIGN KEY(turn) REFERENCES turns (id)
)
 WITHOUT ROWID
""",
    """CREATE INDEX parts_of_channel ON parts (channel, state, begun_at)""",
    """
CREATE TABLE usage (
    turn INTEGER NOT NULL,
    tried INTEGER NOT NULL,
    at INTEGER NOT NULL,
    backend TEXT,
    model TEXT,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL,
    cache_write_tokens INTEGER NOT NULL,
    cost INTEGER,
    estimated INTEGER NOT NULL,
    author TEXT,
    channel TEXT,
    PRIMARY KEY (turn, tried),
    FOREIGN KEY(turn) REFERENCES turns (id)
)
 WITHOUT ROWID
""",
    """
CREATE TABLE spent (
    month TEXT NOT NULL,
    "key" TEXT NOT NULL,
    tokens INTEGER NOT NULL,
    cost INTEGER NOT NULL,
    warned INTEGER NOT NULL,
    PRIMARY KEY (month, "key")
)
 WITHOUT ROWID
""",
    """
CREATE TABLE choices (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    "by" TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (scope, name)
)
 WITHOUT ROWID
""",
    """
CREATE TABLE summaries (
    conversation TEXT NOT NULL,
    upto INTEGER NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (conversation, upto),
    FOREIGN KEY(conversation) REFERENCES conversations (id)
)
 WITHOUT ROWID
""",
)

COPIES = (
    """CREATE INDEX old_turns_of_conversation ON old_turns (conversation, id)""",
    # The place is that of the newest turn. A conversation without turns cannot be, but must not stop an upgrade either.
    # The title is a flat beginning of the first question; white space beyond these three signs stays as it is.
    """
INSERT INTO conversations (id, platform, channel, parent, space, place, title, opened_at, heard_at, closed_at, why)
SELECT c.id, c.platform, c.channel, c.parent, c.space,
    coalesce(
        (SELECT coalesce(t.place, json_extract(t.target, '$[0]')) FROM old_turns t WHERE t.conversation = c.id
         ORDER BY t.id DESC LIMIT 1),
        json_array(c.channel, CASE WHEN c.parent IS NULL THEN 'group' ELSE 'thread' END, c.parent, c.space, NULL)
    ),
    coalesce(
        (SELECT trim(
            substr(replace(replace(replace(m.text, char(13), ' '), char(10), ' '), char(9), ' '), 1, 80))
         FROM old_turns t JOIN old_messages m ON m.turn = t.id WHERE t.conversation = c.id
         ORDER BY t.id, m.ordinal LIMIT 1),
        ''
    ),
    c.opened_at,
    coalesce((SELECT max(t.queued_at) FROM old_turns t WHERE t.conversation = c.id), c.opened_at),
    c.closed_at, c.why
FROM old_conversations c
""",
    """
INSERT INTO turns (id, platform, conversation, kind, state, attempts, tries, again, hidden, asker, channel, target, handle,
    place, size, queued_at, ended_at)
SELECT t.id, t.platform, t.conversation, t.kind, t.state, t.attempts, t.attempts, 0, 0,
    (SELECT m.author FROM old_messages m WHERE m.turn = t.id ORDER BY m.ordinal DESC LIMIT 1),
    t.channel, t.target, t.handle, t.place, t.size, t.queued_at, t.ended_at
FROM old_turns t
""",
    # A number that was given once is never given again.
    """
INSERT INTO sqlite_sequence (name, seq)
SELECT 'turns', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'turns')
""",
    """
UPDATE sqlite_sequence SET seq = max(seq, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'old_turns'), 0))
WHERE name = 'turns'
""",
    """
INSERT INTO messages (turn, ordinal, message, author, name, text, quoted, album, sent_at)
SELECT turn, ordinal, message, author, name, text, quoted, NULL, sent_at FROM old_messages
""",
    """
INSERT INTO finals (turn, size, stop, outcome, backend, text, note, blocks, condensed, failure, detail)
SELECT turn, size, stop, outcome, backend, text, note, blocks, 0, failure, detail FROM old_finals
""",
    # Every attempt of a turn that was answered counts as known: what the first ones cost was not kept.
    """
INSERT INTO usage (turn, tried, at, backend, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost,
    estimated, author, channel)
WITH RECURSIVE tries (turn, tried, attempts) AS (
    SELECT t.id, 1, t.attempts FROM old_turns t JOIN old_finals f ON f.turn = t.id WHERE t.attempts > 0
    UNION ALL SELECT turn, tried + 1, attempts FROM tries WHERE tried < attempts
)
SELECT n.turn, n.tried, coalesce(t.ended_at, t.queued_at), f.backend, json_extract(u.usage, '$[0]'),
    coalesce(json_extract(u.usage, '$[1]'), 0), coalesce(json_extract(u.usage, '$[2]'), 0),
    coalesce(json_extract(u.usage, '$[3]'), 0), coalesce(json_extract(u.usage, '$[4]'), 0), NULL, 0,
    (SELECT m.author FROM old_messages m WHERE m.turn = t.id ORDER BY m.ordinal DESC LIMIT 1), coalesce(c.parent, c.channel)
FROM tries n
JOIN old_turns t ON t.id = n.turn
JOIN old_finals f ON f.turn = n.turn
LEFT JOIN old_finals u ON u.turn = n.turn AND n.tried = n.attempts
LEFT JOIN old_conversations c ON c.id = t.conversation
""",
    """
INSERT INTO parts (turn, kind, ordinal, channel, state, message, begun_at)
SELECT turn, 'text', ordinal, channel, state, message, begun_at FROM old_parts
""",
    """
INSERT INTO keys (platform, "key", decision, turn, at) SELECT platform, "key", decision, turn, at FROM old_keys
""",
)

OLD_FILES = "SELECT turn, ordinal, attachments FROM old_messages WHERE attachments IS NOT NULL"
NEW_FILE = "INSERT INTO files (turn, ordinal, nth, ref, name, media_type, size, quoted) VALUES (?, ?, ?, ?, ?, ?, ?, 0)"


def upgrade() -> None:
    """Make the tables anew, with what was in them: SQLite cannot change a key, nor take a column away in older versions."""
    for index in OLD_INDEXES:
        op.execute(f"DROP INDEX {index}")
    for table in OLD:
        op.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    for statement in (*STATEMENTS, *COPIES):
        # As they are: an operation of Alembic would take a colon for a parameter.
        op.get_bind().exec_driver_sql(statement)
    _copy_files(op.get_bind())
    for table in reversed(OLD):
        op.execute(f"DROP TABLE old_{table}")


def _copy_files(connection: Connection) -> None:
    # Not by SQLite's own functions: what they take out of JSON ends at a NUL.
    for turn, ordinal, attachments in connection.exec_driver_sql(OLD_FILES).all():
        rows = [(turn, ordinal, nth, *file) for nth, file in enumerate(json.loads(attachments))]
        connection.exec_driver_sql(NEW_FILE, rows)
