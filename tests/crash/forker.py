"""A process that has imported all that a server needs, and becomes a server in each of its children: `forker.py SOCKET`.

Importing takes longer than all else that a server does at its start, and is the same each time. A child is a process of its own,
with its own environment, folder, pipes and log, and runs the same command line.

A line of JSON on the socket asks for a child (with the descriptors of its log, its two pipes, and the one that closes when it is
dead), or for the exit status of one that is dead.
"""

import gc
import importlib
import json
import os
import random
import signal
import socket
import sys
from typing import Any

BEFORE = dict(os.environ)
MODULES = (
    "bots.server",
    "bots.discord.adapter",
    "bots.slack.adapter",
    "bots.telegram.adapter",
    "shared.backends.anthropic_api",
    "shared.backends.claude_web",
    "tests.crash.victim",
)


def serve(asked: socket.socket) -> dict[str, Any] | None:
    """Answer what is asked; returns in each child with what it was given, and in this process when nobody is left to ask."""
    while True:
        line, given, _, _ = socket.recv_fds(asked, 100_000, 4)
        if not line:
            return None
        request: dict[str, Any] = json.loads(line)
        if "reap" in request:
            _, status = os.waitpid(request["reap"], 0)
            asked.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            continue
        child = os.fork()
        if not child:
            asked.close()
            return request | {"given": given}
        for each in given:
            os.close(each)
        asked.sendall(f"{child}\n".encode())


def become(request: dict[str, Any]) -> int:
    """Be the server that was asked for; its exit status."""
    from tests.crash.victim import run

    log, pipe, orders, _ = request["given"]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    random.seed()
    # What an import has put there stays.
    made = {name: value for name, value in os.environ.items() if BEFORE.get(name) != value}
    os.environ.clear()
    os.environ.update(made | request["env"])
    os.chdir(request["cwd"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, stream in enumerate((nothing, log, log)):
        os.dup2(stream, number)
    return run(request["number"], request["moment"], pipe, orders)


def main() -> int:
    """The exit status: that of the server in a child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in MODULES:
        importlib.import_module(name)
    # Python, gc: freeze before a fork, so that no child copies what it only looks at, at its end above all.
    gc.freeze()
    request = serve(socket.socket(fileno=int(sys.argv[1])))
    return 0 if request is None else become(request)


if __name__ == "__main__":
    sys.exit(main())
