"""The loggers that Slack's libraries are given: what they say must hold no secret."""

import logging
import re

_SECRET = re.compile(r"\bx(?:ox[a-z]|app)-[\w.-]+|(?<=ticket=)[^&\s'\"]+|(?<=/)(?:services|commands|actions|responses)/[^\s'\"]+")

HIDDEN = "(hidden)"


def hide(text: str) -> str:
    """A text without tokens, tickets of connections and response_urls."""
    return _SECRET.sub(HIDDEN, text)


class _Hiding(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hide(record.getMessage()), ()
        # A traceback names addresses, and so tickets; what matters of it is in the message.
        record.exc_info, record.exc_text, record.stack_info = None, None, None
        return True


def quiet() -> logging.Logger:
    """A logger for the libraries: warnings and up.

    Below that they write down whole requests and envelopes, response_urls included (slack_sdk, web/async_internal_utils.py).
    """
    logger = logging.getLogger("bots.slack.library")
    logger.setLevel(logging.WARNING)
    if not logger.filters:
        logger.addFilter(_Hiding())
    return logger
