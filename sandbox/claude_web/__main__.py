"""Serve the simulator: `python -m sandbox.claude_web --port 8080`. Its first line of output, JSON, says where it is."""

import asyncio
import sys
from collections.abc import Sequence

from sandbox.claude.options import parser_of, script_from
from sandbox.process import serve

from .config import Config
from .script import Script
from .simulator import ClaudeWebSimulator


def config_from(arguments: Sequence[str]) -> Config:
    """Read the command line. Exits 2 with a sentence for what it does not know."""
    parser = parser_of("sandbox.claude_web", __doc__, Config().keep_bodies)
    parser.add_argument("--session-key", default=Config().session_key, help="the only good session key")
    given = parser.parse_args(arguments)
    return Config(
        host=given.host,
        port=given.port,
        session_key=given.session_key,
        script=script_from(parser, given.script, Script),
        journal=given.journal,
        keep_bodies=given.keep_bodies,
        seed=given.seed,
    )


if __name__ == "__main__":
    config = config_from(sys.argv[1:])
    asyncio.run(serve(lambda: ClaudeWebSimulator(config), ClaudeWebSimulator.addresses))
