"""Serve the simulator: `python -m sandbox.anthropic --port 8080`. Its first line of output, JSON, says where it is."""

import asyncio
import sys
from collections.abc import Sequence

from sandbox.claude.options import parser_of, script_from
from sandbox.process import serve

from .config import Config
from .script import Script
from .simulator import Simulator


def config_from(arguments: Sequence[str]) -> Config:
    """Read the command line. Exits 2 with a sentence for what it does not know."""
    parser = parser_of("sandbox.anthropic", __doc__, Config().keep_bodies)
    parser.add_argument("--key", default=Config().key, help="the only good API key")
    parser.add_argument("--cache-minimum", type=int, help="tokens of the shortest cached prefix, in place of each model's own")
    parser.add_argument(
        "--compaction-minimum", type=int, default=Config().compaction_minimum, help="tokens of the smallest trigger"
    )
    parser.add_argument("--cut-at-max-tokens", action="store_true", help="end answers at the request's max_tokens")
    given = parser.parse_args(arguments)
    return Config(
        host=given.host,
        port=given.port,
        key=given.key,
        script=script_from(parser, given.script, Script),
        journal=given.journal,
        keep_bodies=given.keep_bodies,
        seed=given.seed,
        cache_minimum=given.cache_minimum,
        compaction_minimum=given.compaction_minimum,
        cut_at_max_tokens=given.cut_at_max_tokens,
    )


if __name__ == "__main__":
    config = config_from(sys.argv[1:])
    asyncio.run(serve(lambda: Simulator(config), Simulator.addresses))
