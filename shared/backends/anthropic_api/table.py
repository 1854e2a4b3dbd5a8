"""The models as of 2026-11-20, for the time in which the API cannot be asked.

Limits and ways to think: Anthropic's documentation, "Models overview" and the page of each model; how long they live:
anthropic 2.10.0, resources/messages/messages.py. The API's own word, once it is there, goes first.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from shared.backends import Model

EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Known:
    """A model with what only this backend needs to know of it.

    `line` is its family. `thinking` holds the values of `thinking.type` that it accepts.
    """

    model: Model
    line: str | None
    thinking: Collection[str]
    retired: bool = False


_OLDER = ("low", "medium", "high", "max")
_ADAPTIVE = ("adaptive",)
_EITHER = ("adaptive", "disabled")
_EVERY = ("adaptive", "disabled", "enabled")
_MANUAL = ("disabled", "enabled")


def _large(line: str, version: str, thinking: Collection[str], efforts: Sequence[str] = EFFORTS, output: int = 128_000) -> Known:
    name, number = line.capitalize(), version.replace("-", ".")
    model = Model(f"claude-{line}-{version}", f"Claude {name} {number}", 1_000_000, output, efforts, condenses=True)
    return Known(model, line, thinking)


def _small(line: str, version: str, efforts: Sequence[str] = (), retires: date | None = None) -> Known:
    name, number = line.capitalize(), version.replace("-", ".")
    model = Model(f"claude-{line}-{version}", f"Claude {name} {number}", 200_000, 64_000, efforts, retires=retires)
    return Known(model, line, _MANUAL)


TABLE: Sequence[Known] = (
    # The newest first.
    _large("fable", "5-2", _ADAPTIVE),
    _large("haiku", "5-5", _EITHER),
    _large("sonnet", "5-5", ("adaptive", "between_tools")),
    _large("fable", "5-1", _ADAPTIVE),
    _large("opus", "5-5", _ADAPTIVE),
    _large("opus", "5", _EITHER),
    _large("sonnet", "5", _EITHER),
    _large("fable", "5", _ADAPTIVE),
    _large("opus", "4-8", _EITHER),
    _large("opus", "4-7", _EITHER),
    _large("sonnet", "4-6", _EVERY, _OLDER, 64_000),
    _large("opus", "4-6", _EVERY, _OLDER),
    _small("opus", "4-5", ("low", "medium", "high")),
    _small("haiku", "4-5"),
    _small("sonnet", "4-5", retires=date(2026, 11, 30)),
)
