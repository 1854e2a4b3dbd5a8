"""From what went wrong at claude.ai to a failure of ours, and whether to try again. Pure."""

from shared.claude_web import (
    APIError,
    AuthenticationError,
    BlockedError,
    BrokenOffError,
    ClaudeWebAPIError,
    NetworkError,
    OverloadedError,
    PermissionDeniedError,
    ProtocolError,
    QuotaExceededError,
)
from shared.claude_web import TimeoutError as TookTooLong
from shared.errors import (
    BadKey,
    Blocked,
    BrokenOff,
    Failure,
    Invalid,
    OutOfQuota,
    Overloaded,
    RateLimited,
    Silent,
    TooLarge,
    Unavailable,
    UnknownModel,
)

# Kinds of error events that are about the request; another kind is claude.ai's own trouble.
_KINDS: dict[str, type[Failure]] = {"invalid_request_error": Invalid, "request_too_large": TooLarge, "billing_error": OutOfQuota}

# They come as a plain 400 and differ in their wording alone; another wording only costs a less fitting sentence.
_TOO_LONG = ("too long", "exceed_context", "exceeds the maximum", "length limit")


def passing(error: ClaudeWebAPIError) -> bool:
    """Whether another try, at once or soon, may succeed. A block by the edge is never tried again."""
    match error:
        case OverloadedError():
            return True
        case BlockedError() | PermissionDeniedError() | ProtocolError():
            return False
        case NetworkError():
            return True
        case APIError(status_code=None, kind=kind):
            return kind is not None and kind not in _KINDS
        case APIError(status_code=status):
            return status == 408 or (status is not None and status >= 500)
        case _:
            return False


def failure(error: ClaudeWebAPIError, *, began: bool) -> Failure:
    """Name it in our own words. `began`: something of the answer had come."""
    detail = describe(error)
    match error:
        case AuthenticationError():
            return BadKey(detail)
        case QuotaExceededError(retry_after=None):
            return OutOfQuota(detail)
        case QuotaExceededError(retry_after=seconds):
            return RateLimited(detail, max(1.0, seconds or 0.0))
        case BlockedError(retry_after=seconds):
            # Nothing was asked, and nothing will be for so long: the breaker sees to it.
            return Blocked(detail, max(1.0, seconds or 0.0))
        case PermissionDeniedError():
            return UnknownModel(detail) if "model" in str(error).lower() else BadKey(detail)
        case OverloadedError():
            return Overloaded(detail)
        case TookTooLong():
            return Silent(detail)
        case BrokenOffError():
            return BrokenOff(detail)
        case NetworkError() | ProtocolError():
            return BrokenOff(detail) if began else Unavailable(detail)
        case APIError():
            return _answered(error, detail)
        case _:
            return Unavailable(detail)


def describe(error: ClaudeWebAPIError) -> str:
    """Say it in one line for the operator."""
    return f"claude_web: {type(error).__name__}: {' '.join(str(error).split())[:400]}"


def _answered(error: APIError, detail: str) -> Failure:
    status, wording = error.status_code, str(error).lower()
    if status == 413 or (status in (None, 400) and any(words in wording for words in _TOO_LONG)):
        return TooLarge(detail)
    if status is None:
        return Unavailable(detail) if error.kind is None else _KINDS.get(error.kind, BrokenOff)(detail)
    if status in (408, 409) or status >= 500:
        return Unavailable(detail)
    return OutOfQuota(detail) if status == 402 else Invalid(detail)
