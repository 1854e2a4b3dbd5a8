"""Refusals in the API's own shape."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

# Anthropic developer docs, "Errors"; 402, 408, 409, 413 and 504 as the classes of anthropic 2.10.0, _exceptions.py.
TYPES: Mapping[int, tuple[str, str]] = {
    400: ("invalid_request_error", "Bad request"),
    401: ("authentication_error", "Invalid bearer token"),
    402: ("billing_error", "Your credit balance is too low to access the Anthropic API."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "Not found"),
    408: ("timeout_error", "Request timed out"),
    409: ("conflict_error", "Conflict"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    422: ("invalid_request_error", "Unprocessable request"),
    429: ("rate_limit_error", "This request would exceed your organization's rate limit."),
    500: ("api_error", "Internal server error"),
    503: ("api_error", "Service unavailable"),
    504: ("timeout_error", "The request timed out while processing."),
    529: ("overloaded_error", "Overloaded"),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error; `type` and `message` default to what the API says with this status."""

    status: int
    type: str | None = None
    message: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def body(self, request_id: str) -> bytes:
        """Encode the JSON body that goes with the status, or that an `error` event carries."""
        usual_type, usual_message = TYPES.get(self.status, ("api_error", "Internal server error"))
        error: dict[str, object] = {"type": self.type or usual_type, "message": self.message or usual_message}
        if self.code is not None:
            error["details"] = {"error_code": self.code}
        return json.dumps({"type": "error", "error": error, "request_id": request_id}).encode()


def invalid(message: str) -> Refusal:
    """Build the 400 that the API gives for a request that is wrong in itself."""
    return Refusal(400, message=message)
