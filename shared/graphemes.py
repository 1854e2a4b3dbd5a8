"""Where a text may be cut without tearing a character that people see as one."""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"


def is_border(text: str, at: int, since: int = 0) -> bool:
    """Say whether `text` may be cut before index `at` (code points) without tearing a grapheme cluster.

    `since` is an index known to be a border: nothing before it is looked at. Follows the rules of Unicode UAX #29
    for line breaks (GB3), Hangul (GB6 to GB8, without telling which jamo goes with which), combining marks,
    variation selectors, emoji modifiers, tags and joiners (GB9, GB9a, GB11), and flags (GB12, GB13). Left out are
    prepended marks (GB9b) and Indic conjuncts (GB9c).
    """
    if at <= since or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before < "\u0300" and after < "\u0300":
        return not (before == "\r" and after == "\n")
    if _extends(after) or before == _JOINER:
        return False
    if "\u1160" <= after <= "\u11ff":
        return not "\u1100" <= before <= "\ud7a3"
    if _is_flag_half(before) and _is_flag_half(after):
        start = at
        while start > since and _is_flag_half(text[start - 1]):
            start -= 1
        return (at - start) % 2 == 0
    return True


def _extends(char: str) -> bool:
    return (
        char == _JOINER
        or char == "\u200c"
        or unicodedata.category(char) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _is_flag_half(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
