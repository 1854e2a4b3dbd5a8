"""The errors of the REST API (Discord developer docs, Opcodes and Status Codes: JSON error codes)."""

from collections.abc import Mapping
from typing import Any

MESSAGES: Mapping[int, tuple[int, str]] = {
    0: (401, "401: Unauthorized"),
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    20012: (403, "You are not authorized to perform this action on this application"),
    30032: (400, "Maximum number of application commands reached (100)"),
    30034: (400, "Max number of daily application command creates has been reached (200)"),
    30046: (429, "Maximum number of edits to messages older than 1 hour reached. Try again later."),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50008: (400, "Cannot send messages in a non-text channel"),
    50013: (403, "Missing Permissions"),
    50021: (403, "Cannot execute action on a system message"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    50109: (400, "The request body contains invalid JSON."),
    160002: (400, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
}


class ApiError(Exception):
    """A refusal of the REST API, with the code and the text that Discord uses."""

    def __init__(self, code: int, errors: Mapping[str, Any] | None = None, *, retry_after: float | None = None) -> None:
        self.code = code
        self.status, self.message = MESSAGES[code]
        self.errors = errors
        self.retry_after = retry_after
        super().__init__(f"{self.status} {self.code} {self.message}")

    def body(self) -> dict[str, Any]:
        """The JSON object that is answered."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        if self.retry_after is not None:
            body |= {"retry_after": self.retry_after, "global": False}
        return body


def invalid(field: str, code: str, message: str) -> ApiError:
    """An Invalid Form Body that names one field; dots go deeper (Discord developer docs, Reference: Error Messages)."""
    errors: dict[str, Any] = {"_errors": [{"code": code, "message": message}]}
    for name in reversed(field.split(".")):
        errors = {name: errors}
    return ApiError(50035, errors)


def bad_length(field: str, low: int, high: int) -> ApiError:
    """A text of a wrong length, worded as Discord words it."""
    if low == 0:
        return invalid(field, "BASE_TYPE_MAX_LENGTH", f"Must be {high} or fewer in length.")
    return invalid(field, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")
