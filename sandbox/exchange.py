"""One call and its answer, as the log of calls and the faults have to do with it."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from sandbox.calls import Call, CallLog
from sandbox.faults import Faults, Rule

Answer = TypeVar("Answer", bound=web.StreamResponse)


@dataclass(slots=True)
class Exchange:
    """A call that is being answered, and the fault that strikes it."""

    call: Call
    fault: Rule | None
    status: int | None = None

    def answered(self, answer: Answer) -> Answer:
        """Log the status of an answer and return it. One that a fault kept from the caller has none."""
        if self.fault is None or self.fault.action in ("status", "slow"):
            self.status = answer.status
        return answer


@contextmanager
def exchange(
    calls: CallLog, faults: Faults, method: str, path: str, body: Any = None, *, drawn: str | None = None
) -> Generator[Exchange]:
    """Log a call and its end, and draw its fault: by `path`, or by `drawn` where the log says more than rules look at."""
    call = calls.begin(method, path, body)
    fault = faults.draw(method, path if drawn is None else drawn)
    call.fault = fault.label if fault is not None else None
    begun = Exchange(call, fault)
    try:
        yield begun
    finally:
        calls.end(call, begun.status)
