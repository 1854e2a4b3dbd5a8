"""Every failure that may cross a seam.

- Failure
  - Misconfigured      the operator has to change something; the server does not start (exit status 2)
    - StoreUnusable    the database is newer, locked, read-only, full or broken
  - RateLimited        told to wait; says how long
  - Unavailable        may pass by itself: network, 5xx
    - Overloaded       the service says that it has too much to do
    - Blocked          the service turns this machine away, and will for a while
    - BrokenOff        an answer ended before its end
    - Silent           no sign of life for too long
    - TookTooLong      the limit for a whole turn is over
  - Gone               the message or the channel is no longer there
    - Stranded         the message stayed behind in a channel that has become another
  - Refused            a no that repeating does not change
    - Forbidden        a permission is missing on the platform
    - BadKey           the backend does not accept our credentials
    - OutOfQuota       credit or a spending limit is used up
    - UnknownModel     the backend has no such model for us
    - TooLarge         more than the other side takes at once
    - Invalid          the other side did not understand the request

No other exception may leave an adapter or a backend. `detail` is for the operator's log alone: it may name addresses and
status codes, never a key or a token, and it is never shown to people; what people read is in `shared/sentences.py`.
"""


class Failure(Exception):
    """Something went wrong on the far side of a seam. `detail` is one line for the operator."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Misconfigured(Failure):
    """The operator has to change something first. `detail` is a whole sentence that says what to do."""


class StoreUnusable(Misconfigured):
    """The database cannot be used as it is; nothing half-written is left behind."""


class RateLimited(Failure):
    """Told to wait. Nothing of the refused call has taken effect."""

    def __init__(self, detail: str, retry_after: float) -> None:
        """`retry_after` is in seconds, above 0."""
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(Failure):
    """May pass by itself. It is not known whether the call took effect."""


class Overloaded(Unavailable):
    """The service is up and says that it has too much to do."""


class Blocked(Unavailable):
    """The service turns this machine away: asking again at once would only make it worse."""

    def __init__(self, detail: str, retry_after: float) -> None:
        """`retry_after` is in seconds, above 0: we do not ask again before."""
        super().__init__(detail)
        self.retry_after = retry_after


class BrokenOff(Unavailable):
    """An answer that had begun ended before its end."""


class Silent(Unavailable):
    """Nothing came for longer than the limit for silence."""


class TookTooLong(Unavailable):
    """The limit for a whole turn is over."""


class Gone(Failure):
    """The message or the channel is no longer there."""


class Stranded(Gone):
    """The message stayed behind in a channel that has become another; what it said can be said again there."""


class Refused(Failure):
    """A no that repeating does not change."""


class Forbidden(Refused):
    """A permission is missing on the platform."""


class BadKey(Refused):
    """The backend does not accept our credentials."""


class OutOfQuota(Refused):
    """Credit or a spending limit is used up."""


class UnknownModel(Refused):
    """The backend has no such model for us."""


class TooLarge(Refused):
    """More than the other side takes, or gives, at once."""

    def __init__(self, detail: str, most: int | None = None) -> None:
        """`most` is how many bytes it would be, where that is known."""
        super().__init__(detail)
        self.most = most


class Invalid(Refused):
    """The other side did not understand the request."""
