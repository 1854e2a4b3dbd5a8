"""How many tokens something takes, without asking. Pure.

A rule of thumb: four bytes of UTF-8 to a token. That is close for English and code, and a little much for most other scripts.
"""

import json
from collections.abc import Sequence

from shared.backends import Prompt, Said

from . import attached

_BYTES = 4
_LINE = 8
"""Tokens around a line."""


def of_text(text: str) -> int:
    """About how many tokens a text takes."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return -(-size // _BYTES)


def of_lines(lines: Sequence[Said]) -> int:
    """About how many tokens some lines take, with their files."""
    held = attached.held(lines) if any(said.files for said in lines) else frozenset[attached.Place]()
    return sum(_line(said) for said in lines) + sum(attached.tokens(lines[line].files[at]) for line, at in held)


def of_prompt(prompt: Prompt, lines: Sequence[Said]) -> int:
    """About how many tokens a prompt takes whose lines are these."""
    return of_text(prompt.system or "") + of_lines(lines)


def _line(said: Said) -> int:
    return _LINE + of_text(json.dumps(said.blocks, ensure_ascii=False) if said.blocks else said.text)
