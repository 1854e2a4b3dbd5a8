"""Refusals in claude.ai's own shapes: JSON from the service, HTML from the edge in front of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

# The JSON is the same as the public API's (captures); 403: wwwzhouhui/Claude2-PyAPI issue 10.
TYPES: Mapping[int, tuple[str, str]] = {
    400: ("invalid_request_error", "Bad request"),
    401: ("authentication_error", "Invalid authorization"),
    403: ("permission_error", "We are unable to serve your request"),
    404: ("not_found_error", "Not found"),
    409: ("conflict_error", "Conflict"),
    413: ("request_too_large", "Request exceeds the maximum size"),
    429: ("rate_limit_error", "Number of requests has exceeded your rate limit"),
    500: ("api_error", "Internal server error"),
    503: ("api_error", "Service unavailable"),
    529: ("overloaded_error", "Overloaded"),
}

# The title, the path and the header cf-mitigated of Cloudflare's challenge are how claude.ai's edge shows itself (captures).
EDGE_PAGE = (
    '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body>'
    "<noscript>Enable JavaScript and cookies to continue</noscript>"
    '<script src="/cdn-cgi/challenge-platform/h/g/orchestrate/chl_page/v1"></script></body></html>'
)
EDGE_HEADERS = {"cf-mitigated": "challenge", "server": "cloudflare"}


def failure_page(status: int) -> str:
    """Write the page that the edge gives when the service behind it does not answer."""
    return f"<!DOCTYPE html><html><head><title>claude.ai | {status}</title></head><body>Error {status}</body></html>"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error; `type` and `message` default to what goes with the status. `page` makes it HTML."""

    status: int
    type: str | None = None
    message: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    page: str | None = None

    def body(self) -> bytes:
        """Encode the body that goes with the status, or that an `error` event carries."""
        if self.page is not None:
            return self.page.encode()
        usual_type, usual_message = TYPES.get(self.status, ("api_error", "Internal server error"))
        error: dict[str, object] = {"type": self.type or usual_type, "message": self.message or usual_message}
        if self.code is not None:
            error["details"] = {"error_code": self.code, "error_visibility": "user_facing"}
        return json.dumps({"type": "error", "error": error, "request_id": None}).encode()

    @property
    def content_type(self) -> str:
        """The content type that goes with the body."""
        return "application/json" if self.page is None else "text/html; charset=UTF-8"


class Refused(Exception):
    """Raised by a handler that answers with a refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.status)
        self.refusal = refusal


def refuse(status: int, message: str | None = None, *, code: str | None = None) -> Refused:
    """Build the exception for a JSON refusal."""
    return Refused(Refusal(status, message=message, code=code))


def edge_refusal() -> Refusal:
    """Build the edge's bot check: 403 and a page (Xerxes-2/clewdr issue 103)."""
    return Refusal(403, headers=EDGE_HEADERS, page=EDGE_PAGE)


def session_refusal(status: int) -> Refusal:
    """Build the refusal of a session cookie that is missing, wrong or no longer good.

    403 permission_error with account_session_invalid (captures); 401 is what claude-webapi takes for it.
    """
    return Refusal(status, message="Invalid authorization", code="account_session_invalid")


def quota_refusal(resets_at: int, retry_after: int | None) -> Refusal:
    """Build the 429 of a used up quota: its message is itself JSON, with `resetsAt` in Unix seconds (clewdr).

    claude-webapi reads the header Retry-After, in seconds; clewdr also anthropic-ratelimit-unified-reset, in Unix
    seconds. The other keys are those of the event message_limit (captures).
    """
    message = {
        "type": "exceeded_limit",
        "resetsAt": resets_at,
        "remaining": None,
        "perModelLimit": None,
        "representativeClaim": "five_hour",
        "overageInUse": False,
        "windows": {"5h": {"status": "exceeded_limit", "resets_at": resets_at, "utilization": 1.0}},
    }
    headers = {"anthropic-ratelimit-unified-reset": str(resets_at)}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    return Refusal(429, message=json.dumps(message), headers=headers)
