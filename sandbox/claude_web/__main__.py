"""Serve the simulator: `python -m sandbox.claude_web --port 8080`. Its first line of output, JSON, says where it is."""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .config import Config
from .script import Script
from .service import is_object
from .simulator import ClaudeWebSimulator


def config_from(arguments: Sequence[str]) -> Config:
    """Read the command line. Exits 2 with a sentence for what it does not know."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.claude_web", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--session-key", default=Config().session_key, help="the only good session key")
    parser.add_argument("--journal", type=Path, help="append one JSON line per ended call to this file")
    parser.add_argument("--keep-bodies", type=int, default=Config().keep_bodies, help="request bodies kept in the log")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random faults")
    parser.add_argument("--script", default="{}", help="default script, as JSON: fields of sandbox.claude_web.Script")
    given = parser.parse_args(arguments)
    try:
        values: object = json.loads(given.script)
        script = Script.of(values if is_object(values) else {"script": values})
    except ValueError as wrong:
        parser.error(f"--script: {wrong}")
    return Config(
        host=given.host,
        port=given.port,
        session_key=given.session_key,
        script=script,
        journal=given.journal,
        keep_bodies=given.keep_bodies,
        seed=given.seed,
    )


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with ClaudeWebSimulator(config) as simulator:
        ready = {"url": simulator.url, "control": simulator.control_url, "pid": os.getpid()}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stopped.wait()


if __name__ == "__main__":
    asyncio.run(serve(config_from(sys.argv[1:])))
