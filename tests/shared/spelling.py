"""How commands are written in what people read."""

from shared.sentences import spelt
from tests.odd.platform import OddAdapter, channel
from tests.odd.service import Service

_ODD = OddAdapter(Service())


def slashed(text: str) -> str:
    """As where an adapter does not say how."""
    return spelt(text, lambda name, there: f"/{name}")


def odd(text: str) -> str:
    """As on the odd platform."""
    return spelt(text, lambda name, there: _ODD.spell(name, channel("hall"), there=there))
