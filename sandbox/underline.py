"""What is shown under a message at a terminal: its buttons, numbered so that they can be pressed, and its reactions."""

from collections.abc import Mapping
from typing import Any

_BUTTON = 2
"""The type of a button (Discord developer docs, Components: Component Types)."""


class Buttons:
    """The buttons that were shown so far. A button keeps its number while its message lives."""

    def __init__(self) -> None:
        self._known: list[tuple[str, str]] = []

    def number(self, message: str, button: str) -> int:
        """The number of a button, given by its custom id."""
        if (message, button) not in self._known:
            self._known.append((message, button))
        return self._known.index((message, button)) + 1

    def numbered(self, number: str) -> tuple[str, str] | None:
        """The message and the custom id of a button; None when no button has the number."""
        wanted = number.strip("()[] ")
        if not (wanted.isascii() and wanted.isdigit()) or not 1 <= int(wanted) <= len(self._known):
            return None
        return self._known[int(wanted) - 1]


def under(message: Mapping[str, Any], buttons: Buttons) -> str:
    """The lines to add to a message, each beginning with a line break; nothing when it is deleted."""
    if message["deleted"]:
        return ""
    shown = [_button(message["id"], each, buttons) for row in message["components"] for each in row.get("components", ())]
    reactions = [f"{emoji} {len(users)}" for emoji, users in message["reactions"].items()]
    return "".join(f"\n{'  '.join(line)}" for line in (shown, reactions) if line)


def _button(message: str, component: Mapping[str, Any], buttons: Buttons) -> str:
    if component["type"] != _BUTTON:
        return "[a menu]"
    label = f"[{component.get('label') or '...'}]"
    if "url" in component:
        return f"{label} {component['url']}"
    return label if component.get("disabled") else f"({buttons.number(message, component['custom_id'])}) {label}"
