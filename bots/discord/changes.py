"""Which updates of messages are changes that somebody made."""

from collections import OrderedDict
from datetime import datetime

KEPT = 5000
"""Of how many messages the last change is remembered."""


class Changes:
    """Tells a new change from one that was told before: link previews that appear leave the time of the change as it is."""

    def __init__(self) -> None:
        self._last: OrderedDict[int, datetime] = OrderedDict()

    def new(self, message: int, edited: datetime | None) -> bool:
        """Whether a message that was last changed at `edited` has been changed since this was last asked."""
        if edited is None or self._last.get(message) == edited:
            return False
        self._last[message] = edited
        self._last.move_to_end(message)
        if len(self._last) > KEPT:
            self._last.popitem(last=False)
        return True
