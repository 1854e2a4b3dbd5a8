"""Rules that say which script answers which request."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar

from sandbox.claude.script import BaseScript

S = TypeVar("S", bound=BaseScript)
R = TypeVar("R", bound="BaseRule[Any]")
_SHOWN = ("number", "match", "times", "skip")


@dataclass(slots=True)
class BaseRule(Generic[S]):
    """Answer the requests that contain `match` ("" is in all) by `script`.

    The rule applies `times` times (None: always), after having let `skip` matching requests pass.
    """

    number: int
    script: S
    match: str = ""
    times: int | None = 1
    skip: int = 0

    def shown(self) -> dict[str, Any]:
        """Return the rule as JSON, without its script and the conditions that it does not make."""
        found = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "script"}
        return {name: value for name, value in found.items() if name in _SHOWN or value is not None}


class Rules(Generic[S, R]):
    """The rules in force, oldest first, and the script for everything else."""

    def __init__(self, default: S) -> None:
        self.default = default
        self._rules: list[R] = []
        self._number = 0

    @property
    def rules(self) -> tuple[R, ...]:
        """The rules that may still apply."""
        return tuple(self._rules)

    def put(self, make: Callable[[int], R]) -> R:
        """Add a rule, made with its number, behind the others."""
        self._number += 1
        rule = make(self._number)
        self._rules.append(rule)
        return rule

    def remove(self, number: int) -> None:
        """Forget one rule; an unknown number is ignored."""
        self._rules = [rule for rule in self._rules if rule.number != number]

    def clear(self) -> None:
        """Forget every rule; the default stays."""
        self._rules.clear()

    def take(self, fits: Callable[[R], bool]) -> tuple[S, int | None]:
        """Take the script of the first rule that fits and is due, and the rule's number (None for the default)."""
        for rule in self._rules:
            if not fits(rule):
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            if rule.times is not None:
                rule.times -= 1
                if rule.times <= 0:
                    self._rules.remove(rule)
            return rule.script, rule.number
        return self.default, None
