"""Which texts are emoji that one can react with. The simulated guilds have none of their own."""

import unicodedata

_JOINERS = frozenset("\u200d\ufe0f")
_KEYCAP = "\u20e3"
_OTHER = frozenset("\u203c\u2049\u2194\u25fd\u25fe\u3030\u303d")
"""Emoji of the Unicode standard that are not in the category of the others."""


def is_emoji(text: str) -> bool:
    """Whether a text is one emoji, as far as categories tell: letters, digits and plain signs are not."""
    bare = [sign for sign in text if sign not in _JOINERS]
    if len(bare) == 2 and bare[1] == _KEYCAP:
        return bare[0] in "0123456789#*"
    return 0 < len(bare) <= 12 and all(_sign(sign) for sign in bare)


def _sign(sign: str) -> bool:
    tag = 0xE0020 <= ord(sign) <= 0xE007F  # the flags of England, Scotland and Wales are spelt with these
    return tag or sign in _OTHER or (sign > "~" and unicodedata.category(sign) in ("So", "Sk"))
