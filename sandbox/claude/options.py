"""The command line that every service has."""

import argparse
import json
from pathlib import Path

from sandbox.claude.rules import S
from sandbox.values import is_object


def parser_of(module: str, description: str | None, keep_bodies: int) -> argparse.ArgumentParser:
    """A parser with the options that every service has; `keep_bodies` is the usual number."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--journal", type=Path, help="append one JSON line per ended call to this file")
    parser.add_argument("--keep-bodies", type=int, default=keep_bodies, help="request bodies kept in the log")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random faults")
    parser.add_argument("--script", default="{}", help=f"default script, as JSON: fields of {module}.Script")
    return parser


def script_from(parser: argparse.ArgumentParser, given: str, script: type[S]) -> S:
    """Read the option `--script`. Exits 2 with a sentence for what is wrong with it."""
    try:
        values: object = json.loads(given)
        return script.of(values if is_object(values) else {"script": values})
    except ValueError as wrong:
        parser.error(f"--script: {wrong}")
