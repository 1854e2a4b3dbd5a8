"""What goes wrong on demand in every simulator of a platform, and the log of its calls."""

from dataclasses import asdict

from sandbox.calls import CallLog
from sandbox.downloads import Spoil, Spoils
from sandbox.faults import Faults, Rule, rule_from_json
from sandbox.values import Json


class Mishaps:
    """Faults of calls, and downloads that go wrong."""

    def __init__(self, calls: CallLog, faults: Faults, spoils: Spoils) -> None:
        self.calls = calls
        self.faults = faults
        self._spoils = spoils

    def log(self, after: int = 0) -> list[Json]:
        """The calls with a number greater than `after`."""
        return [call.as_json() for call in self.calls.after(after)]

    async def fault(self, rule: Rule) -> int:
        """Put a fault in force and return its number. Paths are as in `log`."""
        return self.faults.set(rule)

    async def fault_json(self, rule: Json) -> Json:
        """Put a fault, given as JSON, in force."""
        return {"fault": self.faults.set(rule_from_json(rule))}

    def faults_in_force(self) -> Json:
        """The faults that may still strike, by number."""
        return {str(number): asdict(rule) for number, rule in self.faults.in_force().items()}

    async def seed_faults(self, seed: int) -> None:
        """Begin the random choices of faults with a `chance` anew."""
        self.faults.seed(seed)

    async def clear_faults(self, fault: int | None = None) -> None:
        """Take one fault, or all (also those of downloads), out of force."""
        self.faults.clear(fault)
        if fault is None:
            self._spoils.clear()

    async def spoil(self, spoil: Spoil) -> None:
        """Let the next downloads of files go wrong."""
        self._spoils.add(spoil)

    async def spoil_json(self, spoil: Json) -> None:
        """Let the next downloads go wrong, given as JSON."""
        self._spoils.add(self._spoils.read(spoil))
