"""What a kill may leave behind where it cannot be found out whether something was posted: one message of the same reply."""

from collections.abc import Collection, Sequence
from itertools import combinations

from tests.crash.platforms.base import Shown


def without(shown: Sequence[Shown], texts: Collection[str], spare: int, messages: int | None = None) -> list[Shown] | None:
    """The messages that together say one of the texts, with as few as can be and at most `spare` left out; None if none do.

    `messages` says how many they are; None allows any number.
    """
    counts = range(min(spare, len(shown)) + 1) if messages is None else [len(shown) - messages]
    for count in counts:
        if not 0 <= count <= spare:
            return None
        # What was left behind is older than what came in its place.
        for left in reversed(list(combinations(range(len(shown)), len(shown) - count))):
            kept = [shown[nth] for nth in left]
            if says(kept) in texts:
                return kept
    return None


def says(shown: Sequence[Shown]) -> str:
    """What people read there."""
    return " ".join(each.text for each in shown if each.text)
