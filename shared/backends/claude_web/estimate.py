"""How many tokens something takes: claude.ai does not tell. Pure.

A rule of thumb: four bytes of UTF-8 to a token. That is close for English and code, and a little much for most other scripts.
"""

from shared.backends import Prompt, Usage
from shared.files.material import Material

_BYTES = 4
_LINE = 8
"""Tokens around a line."""

_IMAGE, _PAGE = 1_600, 3_000
"""Tokens of an image of full size, and of a PDF's page (Anthropic developer docs, "Vision" and "PDF support")."""


def usage(model: str, prompt: Prompt, text: str) -> Usage:
    """About what a prompt uses up that is answered with this text. It costs nothing but the account's message limit."""
    lines = [*prompt.history, *prompt.ask]
    asked = of_text(prompt.system or "") + sum(_LINE + of_text(said.text) + sum(map(_file, said.files)) for said in lines)
    return Usage(model, asked, of_text(text), estimated=True)


def of_text(text: str) -> int:
    """About how many tokens a text takes."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return -(-size // _BYTES)


def _file(file: Material) -> int:
    match file.kind:
        case "image":
            return -(-file.width * file.height // 750) or _IMAGE
        case "pdf":
            return _PAGE * max(1, file.pages)
        case "text":
            return of_text(file.text)
