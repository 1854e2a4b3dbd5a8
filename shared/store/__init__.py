"""Everything that has to survive a crash, in one SQLite file. No rows and no engine objects leave this package."""

from shared.store.records import (
    Asked,
    Decision,
    Exchange,
    Final,
    Part,
    PartState,
    Taken,
    TurnKind,
    Waiting,
    Why,
    Work,
)
from shared.store.store import Store, UnknownPart, UnknownTurn

__all__ = [
    "Asked",
    "Decision",
    "Exchange",
    "Final",
    "Part",
    "PartState",
    "Store",
    "Taken",
    "TurnKind",
    "UnknownPart",
    "UnknownTurn",
    "Waiting",
    "Why",
    "Work",
]
