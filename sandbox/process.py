"""A simulator in a process of its own."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TypeVar

S = TypeVar("S")


async def serve(make: Callable[[], AbstractAsyncContextManager[S]], addresses: Callable[[S], Mapping[str, str | int]]) -> None:
    """Serve until SIGTERM or SIGINT. One JSON line on standard output, of `addresses`, says when and where."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with make() as simulator:
        sys.stdout.write(json.dumps(addresses(simulator)) + "\n")
        sys.stdout.flush()
        await stop.wait()


def platform_parser(platform: str, token: str) -> argparse.ArgumentParser:
    """A parser with the options that every platform's simulator has; `token` is the usual one."""
    parser = argparse.ArgumentParser(prog=f"python -m sandbox.{platform}", description=f"{platform.capitalize()} on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--round-trip", type=float, default=0.0, help="seconds")
    parser.add_argument("--state", type=Path, default=None, help="a journal that makes the world last")
    parser.add_argument("--token", default=token, help="the bot's token that is good")
    parser.add_argument("--seed", type=int, default=0, help="of random faults")
    return parser
