"""The errors of the Bot API: `{"ok": false, "error_code": …, "description": …}` with the code as HTTP status.

Source: core.telegram.org/bots/api, Making requests. The texts are those of the open server (tdlib/telegram-bot-api, Client.cpp),
which writes a capitalised code such as MESSAGE_TOO_LONG as it is and any other text with a small first letter.
"""

from typing import Any


class ApiError(Exception):
    """A refusal of the Bot API. `parameters` is a ResponseParameters object, or None."""

    def __init__(self, code: int, description: str, parameters: dict[str, Any] | None = None) -> None:
        self.code = code
        self.description = description
        self.parameters = parameters
        super().__init__(description)

    def body(self) -> dict[str, Any]:
        """The JSON object that is answered."""
        told: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        return told if self.parameters is None else told | {"parameters": self.parameters}


def bad(problem: str) -> ApiError:
    """A 400 with this problem."""
    return ApiError(400, f"Bad Request: {problem}")


def forbidden(problem: str) -> ApiError:
    """A 403 with this problem."""
    return ApiError(403, f"Forbidden: {problem}")


def too_many(seconds: int) -> ApiError:
    """A 429 that asks to wait (core.telegram.org/bots/api, ResponseParameters: retry_after, in seconds)."""
    return ApiError(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})
