"""From what went wrong at the API to a failure of ours, and whether and when to try again. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from shared.errors import (
    BadKey,
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

# Told to a person when the API says "later" without saying when.
UNSAID_WAIT = 30.0

# anthropic 2.10.0, _base_client.py, _should_retry.
_RETRIED = (408, 409, 429)

_BY_KIND: Mapping[str, type[Failure]] = {
    "authentication_error": BadKey,
    "billing_error": OutOfQuota,
    "invalid_request_error": Invalid,
    "not_found_error": UnknownModel,
    "overloaded_error": Overloaded,
    "permission_error": BadKey,
    "request_too_large": TooLarge,
}
_BY_STATUS: Mapping[int, type[Failure]] = {
    401: BadKey,
    402: OutOfQuota,
    403: BadKey,
    404: Invalid,
    408: Unavailable,
    409: Unavailable,
    413: TooLarge,
    529: Overloaded,
}

# A spending limit is no rate limit: anthropic 2.10.0, types/shared/error_details.py; Anthropic developer docs, "Errors".
_SPENT_CODES = ("enforced_spend_limit_reached",)

# These three come as a plain 400 and differ in their wording alone (Anthropic developer docs, "Errors" and "Context
# windows"). Another wording only costs a less fitting sentence.
_BY_WORDING = (
    ("prompt is too long", TooLarge),
    ("credit balance is too low", OutOfQuota),
    ("specified api usage limits", OutOfQuota),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is known of one failed try; `kind` is the error's type in the API's words.

    `status` 200 is an error event within a stream, None a broken connection.
    """

    status: int | None
    kind: str | None = None
    code: str | None = None
    message: str = ""
    request_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    silent: bool = False
    broken: bool = False
    final: bool = False
    """True where another try would end alike."""

    @property
    def spent(self) -> bool:
        """Whether credit or a spending limit is used up."""
        return self.code in _SPENT_CODES

    @property
    def passing(self) -> bool:
        """Whether another try may succeed. The API's own word, `x-should-retry`, goes first."""
        if self.spent or self.silent or self.final:
            return False
        said = self.headers.get("x-should-retry")
        if said in ("true", "false"):
            return said == "true"
        if self.status is None:
            return True
        if self.status == 200:
            return _BY_KIND.get(self.kind or "", Overloaded) is Overloaded
        return self.status in _RETRIED or self.status >= 500

    def retry_after(self, now: datetime) -> float | None:
        """Return the seconds that the API asks to wait, above 0; None if it does not say or cannot be read."""
        try:
            if "retry-after-ms" in self.headers:
                seconds = float(self.headers["retry-after-ms"]) / 1000
            else:
                seconds = _seconds(self.headers.get("retry-after", ""), now)
        except (ValueError, OverflowError):
            return None
        return seconds if math.isfinite(seconds) and seconds > 0 else None

    @property
    def refuses_history(self) -> bool:
        """Whether it may be the blocks of earlier answers that the API does not take: it said no for no reason of its own."""
        return self.status == 400 and self._named() is Invalid

    def describe(self, *, hide: Sequence[str]) -> str:
        """Say it in one line for the operator. Nothing of `hide` is ever part of it."""
        parts = ["anthropic_api:", "no answer" if self.status is None else str(self.status)]
        parts += [part for part in (self.kind, self.code) if part]
        if self.request_id:
            parts.append(f"({self.request_id})")
        line = " ".join(parts)
        if self.message:
            line += ": " + _hidden(" ".join(self.message.split()), hide)[:300]
        return _hidden(line, hide)

    def failure(self, now: datetime, *, hide: Sequence[str]) -> Failure:
        """Name it in our own words."""
        detail = self.describe(hide=hide)
        named = self._named()
        return RateLimited(detail, self.retry_after(now) or UNSAID_WAIT) if named is RateLimited else named(detail)

    def _named(self) -> type[Failure]:
        if self.silent:
            return Silent
        if self.spent:
            return OutOfQuota
        wording = self.message.lower()
        if self.status in (400, 413):
            for words, named in _BY_WORDING:
                if words in wording:
                    return named
        if self.status == 429 or self.kind == "rate_limit_error":
            return RateLimited
        known = _BY_KIND.get(self.kind or "") or _BY_STATUS.get(self.status or 0)
        if known is not None:
            return known
        if self.broken or self.status == 200:
            return BrokenOff
        return Unavailable if self.status is None or self.status >= 500 else Invalid


def _hidden(text: str, hide: Sequence[str]) -> str:
    for secret in hide:
        text = text.replace(secret, "***") if secret else text
    return text


def _seconds(value: str, now: datetime) -> float:
    """Read a Retry-After: seconds or an HTTP date (RFC 9110, 10.2.3)."""
    try:
        return float(value)
    except ValueError:
        date = parsedate_to_datetime(value)
        return (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()
