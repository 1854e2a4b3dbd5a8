"""What stands in the chat when an answer has ended, and what can be pressed under it. Pure."""

import re
from collections.abc import Sequence

from shared.chat import Button
from shared.heal import heal
from shared.store import Final

INTERRUPTIONS = frozenset({"BrokenOff", "Silent", "TookTooLong"})
"""Failures after which the model can go on where it was."""

THOUGHTS = 2000
"""Characters of what the model thought that are shown above its answer."""


def stop_button(turn: int) -> Button:
    """Ends the answer that is being written."""
    return Button(f"stop/{turn}", "Stop")


def buttons(turn: int, final: Final) -> Sequence[Button]:
    """What can be done about an answer that has not ended well."""
    found: list[Button] = []
    stopped_short = final.stop in ("max_tokens", "pause") or final.outcome == "stopped" or final.failure in INTERRUPTIONS
    if final.text.strip() and stopped_short:
        found.append(Button(f"more/{turn}", "Continue"))
    if final.outcome in ("failed", "stopped") and final.stop != "refusal":
        found.append(Button(f"retry/{turn}", "Retry"))
    return found


def shown(text: str, note: str, thoughts: str = "") -> str:
    """The text, above it what was thought, below it the note, set apart."""
    whole = above(thoughts, text)
    if not note:
        return whole
    if not whole.strip():
        return note
    return f"{_closed(whole)}\n\n*{note}*"


def above(thoughts: str, text: str) -> str:
    """The text with what was thought as a quote above it."""
    if not thoughts.strip():
        return text
    cut = thoughts.strip() if len(thoughts) <= THOUGHTS else f"{thoughts[:THOUGHTS].strip()}…"
    quote = "\n".join(f"> {line}".rstrip() for line in cut.splitlines())
    return f"{quote}\n\n{text}" if text.strip() else quote


def _closed(text: str) -> str:
    """The text with open markup closed, which would swallow what follows; but nothing that was said is held back for it."""
    healed = heal(text).rstrip()
    return healed if _words(healed) == _words(text) else text.rstrip()


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
