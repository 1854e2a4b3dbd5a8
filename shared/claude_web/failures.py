"""From what claude.ai answered to the error to raise. Pure."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, cast

from .errors import (
    APIError,
    AuthenticationError,
    ClaudeWebAPIError,
    ConversationNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QuotaExceededError,
    TimeoutError,  # noqa: A004 - the name is part of the interface
)

# Characters of a foreign text that an error's message quotes.
_QUOTED = 400

# A session that is no longer good is also answered with 403 and one of these.
_SESSION_CODES = frozenset({"account_session_invalid", "session_expired"})
_SESSION_WORDS = frozenset({"invalid authorization", "account session invalid", "session expired"})

# States of a limit, or of one of its windows, in which no message is answered.
OVER = frozenset({"hit_limit", "over_limit", "exceeded_limit"})

# wwwzhouhui/Claude2-PyAPI (issue 10): the edge's refusal, dressed as JSON.
_EDGE_WORDS = "unable to serve your request"


def is_edge(status: int, headers: Mapping[str, str], body: str) -> bool:
    """Whether an answer with an error's status comes from the edge and not from claude.ai itself.

    Cloudflare's documentation, "Detect a Challenge Page response": a challenge has the header `cf-mitigated`.
    """
    if "cf-mitigated" in headers:
        return True
    if status != 403:
        return False
    return not _object(body) or _EDGE_WORDS in body.lower()


def of_response(status: int, headers: Mapping[str, str], body: str, now: datetime) -> ClaudeWebAPIError:
    """The error for an answer with this status. `headers` finds names in any case; `now` is aware."""
    error = _error(_object(body))
    said = f"HTTP {status}: {_words(error) or _short(body)}".removesuffix(": ")
    if status == 401 or (status == 403 and _is_session(error)):
        return AuthenticationError(f"{said} (log in again and copy the new session key)", status_code=status)
    if 300 <= status < 400:
        if "/login" in headers.get("Location", ""):
            return AuthenticationError(f"HTTP {status}: sent to the login page", status_code=status)
        return APIError(f"HTTP {status}: a redirect, which is not followed", status_code=status)
    if status == 403:
        return PermissionDeniedError(said, status_code=status, kind=_kind(error), code=_code(error))
    if status == 404:
        return ConversationNotFoundError(said, status_code=status)
    if status == 429:
        return _quota(said, status, _reset(error), _retry_after(headers, now), now)
    if status == 529 or _kind(error) == "overloaded_error":
        return OverloadedError(said, status_code=status, kind=_kind(error))
    return APIError(said, status_code=status, kind=_kind(error), code=_code(error))


def of_event(event: Mapping[str, Any], now: datetime) -> ClaudeWebAPIError:
    """The error for an `error` event of a stream."""
    error = _error(event)
    kind = _kind(error)
    said = f"error in the answer: {_words(error) or _short(json.dumps(dict(event)))}"
    match kind:
        case "authentication_error":
            return AuthenticationError(said)
        case "rate_limit_error":
            return _quota(said, None, _reset(error), None, now)
        case "overloaded_error":
            return OverloadedError(said, kind=kind)
        case "permission_error":
            return AuthenticationError(said) if _is_session(error) else PermissionDeniedError(said, kind=kind)
        case "not_found_error":
            return ConversationNotFoundError(said)
        case "timeout_error":
            return TimeoutError(said)
        case _:
            return APIError(said, kind=kind, code=_code(error))


def of_limit(reset_at: datetime | None, now: datetime) -> QuotaExceededError:
    """The error for an answer that the message limit has kept from coming."""
    return _quota("the account's message limit is used up", None, reset_at, None, now)


def moment(seconds: object) -> datetime | None:
    """A time that is given in seconds since 1970, or in milliseconds where that would be beyond the year 5000."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(seconds if seconds < 1e11 else seconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def instant(value: object) -> datetime | None:
    """A time that is given in seconds or milliseconds since 1970 or as an ISO 8601 text."""
    if not isinstance(value, str):
        return moment(value)
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _quota(
    said: str, status: int | None, reset_at: datetime | None, retry_after: float | None, now: datetime
) -> QuotaExceededError:
    if reset_at is None and retry_after is not None:
        reset_at = now + timedelta(seconds=retry_after)
    if reset_at is not None:
        retry_after = max(0.0, (reset_at - now).total_seconds())
        said = f"{said} (until {reset_at:%Y-%m-%d %H:%M:%S} UTC)"
    return QuotaExceededError(said, status_code=status, reset_at=reset_at, retry_after=retry_after)


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds. RFC 9110, section 10.2.3: a whole number of seconds or a date."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when
    return max(0.0, (when - now).total_seconds())


def _reset(error: Mapping[str, Any]) -> datetime | None:
    """When a limit is lifted. The error's message was seen to be a JSON text with `resetsAt`, in seconds since 1970."""
    for place in (_object(error.get("message")), error, _dict(error.get("details"))):
        for name in ("resetsAt", "resets_at", "reset_at"):
            if (found := instant(place.get(name))) is not None:
                return found
        if (found := reset_of_windows(place)) is not None:
            return found
    return None


def reset_of_windows(limit: Mapping[str, Any]) -> datetime | None:
    """When the last of the windows that are used up is lifted; None if none of them is, or none says so."""
    windows = [_dict(window) for window in _dict(limit.get("windows")).values()]
    ends = [instant(window.get("resets_at")) for window in windows if window.get("status") in OVER]
    return max((end for end in ends if end is not None), default=None)


def _object(text: object) -> dict[str, Any]:
    """The JSON object that a text is; an empty one if it is none."""
    if not isinstance(text, str):
        return {}
    try:
        return _dict(json.loads(text))
    except (ValueError, RecursionError):
        return {}


def _dict(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _error(body: Mapping[str, Any]) -> dict[str, Any]:
    return _dict(body.get("error"))


def _kind(error: Mapping[str, Any]) -> str | None:
    kind = error.get("type")
    return kind[:80] if isinstance(kind, str) else None


def _code(error: Mapping[str, Any]) -> str | None:
    code = _dict(error.get("details")).get("error_code")
    return code[:80] if isinstance(code, str) else None


def _words(error: Mapping[str, Any]) -> str:
    message = error.get("message")
    text = message if isinstance(message, str) else ""
    return _short(": ".join(part for part in (_kind(error), text) if part))


def _is_session(error: Mapping[str, Any]) -> bool:
    message = error.get("message")
    words = message.strip(" .").lower() if isinstance(message, str) else ""
    return _code(error) in _SESSION_CODES or words in _SESSION_WORDS


def _short(text: str) -> str:
    return " ".join(text.split())[:_QUOTED]
