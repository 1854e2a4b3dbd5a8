"""The database's history: one numbered file for each change of the schema. None is ever changed once it was released.

Importing this imports no Alembic; `upgrade` does, which is why it is called only when there is something to do.
"""

from pathlib import Path

from sqlalchemy import Connection

_HERE = Path(__file__).parent


def upgrade(connection: Connection, revision: str) -> None:
    """Bring the schema up to the revision, within the transaction that the connection is in."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _escaped(_HERE / "environment"))
    config.set_main_option("version_locations", _escaped(_HERE))
    config.set_main_option("path_separator", "newline")
    command.upgrade(config, revision)


def _escaped(path: Path) -> str:
    # The configuration takes a percent sign for the beginning of a reference.
    return str(path).replace("%", "%%")
