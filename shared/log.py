"""The log: one line per event on standard error, for people at a terminal or as JSON for machines. Secrets never reach it."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

HIDDEN = "[hidden]"


def configure(level: str, form: Literal["auto", "console", "json"], secrets: Sequence[str], stream: TextIO | None = None) -> None:
    """Set the log up for the whole process, libraries' own lines included. `secrets` are replaced wherever they turn up.

    `stream` is standard error unless given.
    """
    out = stream or sys.stderr
    lines = structlog.dev.ConsoleRenderer(colors=out.isatty(), pad_event_to=0, exception_formatter=_no_traceback)
    render = structlog.processors.JSONRenderer() if form == "json" or (form == "auto" and not out.isatty()) else lines
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Hide(secrets),
    ]
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=out),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_plain, structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _Hide(secrets), render],
        )
    )
    # Libraries say too much at their lower levels, and repeat what our own lines say in our own words.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("bots").setLevel(level.upper())


def fault(error: BaseException) -> str:
    """An unexpected error in one line, by kind and place: its own text may hold anything."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{where}"


def _no_traceback(sio: Any, exc_info: Any) -> None:
    """Tracebacks are no lines for an operator."""


def _plain(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """A library's exception becomes its kind and place."""
    info = event.pop("exc_info", None)
    if isinstance(info, BaseException):
        event["fault"] = fault(info)
    elif isinstance(info, tuple) and isinstance(info[1], BaseException):
        event["fault"] = fault(info[1])
    return event


class _Hide:
    """Takes secrets out of every value of a line."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret for secret in secrets if secret]

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        if not self._secrets:
            return event
        return {key: self._clean(value) for key, value in event.items()}

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, HIDDEN)
            return value
        if isinstance(value, int | float | bool | None):
            return value
        return self._clean(repr(value))
