"""The server as a process that kills itself at one commit: `victim.py NUMBER before|after PIPE ORDERS`; 0 never does.

A line "NUMBER before|after" on the pipe ORDERS names another commit, counted from when it is read. It runs the real command
line. What is counted is SQLAlchemy's commit on SQLite in the thread that writes; each is told to the pipe with a dot, and the
one that it dies of with an exclamation mark before.
"""

import contextlib
import os
import signal
import sys
import threading
from typing import Any

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from bots.__main__ import main


def run(number: int, moment: str, pipe: int, orders: int) -> int:
    """Run the server; its exit status."""
    os.set_blocking(orders, False)
    commits = 0
    commit = SQLiteDialect_pysqlite.do_commit

    def counted(self: SQLiteDialect_pysqlite, dbapi_connection: Any) -> None:
        """Commit, and die before or after it if it is the one."""
        nonlocal commits, number, moment
        if threading.current_thread().name != "store-writer":
            commit(self, dbapi_connection)
            return
        with contextlib.suppress(BlockingIOError):
            if order := os.read(orders, 100).split():
                number, moment = commits + int(order[0]), order[1].decode()
        commits += 1
        if commits == number:
            os.write(pipe, b"!")
        if commits == number and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self, dbapi_connection)
        os.write(pipe, b".")
        if commits == number and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    SQLiteDialect_pysqlite.do_commit = counted
    return main(["run"])


if __name__ == "__main__":
    sys.exit(run(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
