"""A disk that is full, or refuses everything, when a test says so."""

import contextlib
import threading
from collections.abc import Generator

from sqlalchemy import Connection, Engine, event

from tests.shared.house import House

ROOM = 1_000_000


class Disk:
    """How many pages the database may have, and whether it may be written to at all."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._pages = ROOM
        self._refuses = False

    def full(self) -> None:
        """What needs a new page is refused from now on."""
        [(pages,)] = self._house.rows("PRAGMA page_count")
        self._pages = int(pages)

    def refuse(self) -> None:
        """Every write is refused from now on."""
        self._refuses = True

    def free(self) -> None:
        """There is room again."""
        self._pages, self._refuses = ROOM, False

    def tell(self, connection: Connection) -> None:
        if threading.current_thread().name == "store-writer":
            connection.exec_driver_sql(f"PRAGMA max_page_count = {self._pages}")
            connection.exec_driver_sql(f"PRAGMA query_only = {int(self._refuses)}")


@contextlib.contextmanager
def disk(house: House) -> Generator[Disk]:
    """The disk of a house; it has room from the first write after `free` on."""
    room = Disk(house)
    event.listen(Engine, "begin", room.tell)
    try:
        yield room
    finally:
        event.remove(Engine, "begin", room.tell)
