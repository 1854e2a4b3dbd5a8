"""What outlives a restart beside the turns: the signs on questions that wait, and channels that have become others."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    """
CREATE TABLE signs (
    turn INTEGER NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (turn),
    FOREIGN KEY(turn) REFERENCES turns (id)
)
""",
    """
CREATE TABLE moves (
    platform TEXT NOT NULL,
    old TEXT NOT NULL,
    new TEXT NOT NULL,
    PRIMARY KEY (platform, old)
) WITHOUT ROWID
""",
)


def upgrade() -> None:
    """Add two tables."""
    for statement in STATEMENTS:
        op.execute(statement)
