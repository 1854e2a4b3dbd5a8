"""The client's log: the standard library's, under the name `claude_web`. It never has prompts, answers or the key."""

import logging

LOGGER = logging.getLogger("claude_web")

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def set_log_level(level: str) -> None:
    """Log from this level on: DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case. Raises ValueError for another.

    Where the program has set up no logging of its own, the lines go to standard error.
    """
    name = level.upper()
    if name not in _LEVELS:
        raise ValueError(f"no log level {level!r}: give one of {', '.join(_LEVELS)}")
    LOGGER.setLevel(name)
    if not LOGGER.hasHandlers():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        LOGGER.addHandler(handler)
