"""The models of claude.ai, which has no list of them. Pure."""

import re
from collections.abc import Sequence

from shared.backends import Model
from shared.claude_web import Model as Web
from shared.errors import UnknownModel

# Claude help center, "How large is the context window on paid Claude plans?": 200 000 tokens. The output is not told; it only
# sets how much of the window is kept free.
WINDOW, OUTPUT = 200_000, 32_000

_NAMED = {"sonnet": Web.SONNET.value, "opus": Web.OPUS.value, "haiku": Web.HAIKU.value}
_ID = re.compile(r"claude-[a-z0-9][a-z0-9.-]{0,80}")


def known(first: str) -> Sequence[Model]:
    """The models that are known by name, `first` before all."""
    names = dict.fromkeys([named(first), *_NAMED.values()])
    return [_model(name) for name in names]


def find(name: str) -> Model:
    """The model of an id or of opus, sonnet, haiku. Whether the account's plan has it shows when it is asked.

    Raises `UnknownModel` for what is no model's id at all.
    """
    wanted = named(name)
    if not _ID.fullmatch(wanted):
        raise UnknownModel(f"claude_web: there is no model {name[:80]!a}")
    return _model(wanted)


def named(name: str) -> str:
    """The id of a model's name."""
    wanted = name.strip().lower()
    return _NAMED.get(wanted, wanted)


def _model(name: str) -> Model:
    words = name.removeprefix("claude-").split("-")
    release = [word for word in words if not (len(word) == 8 and word.isdigit())]
    numbers = ".".join(word for word in release if word.isdigit())
    line = " ".join(word.capitalize() for word in release if not word.isdigit())
    return Model(name, " ".join(part for part in ("Claude", line, numbers) if part), WINDOW, OUTPUT)
