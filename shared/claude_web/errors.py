"""Every error that the client raises about claude.ai.

- ClaudeWebAPIError
  - AuthenticationError         the session key is empty, wrong or expired
  - QuotaExceededError          the account's message limit is used up; says until when
  - TimeoutError                a limit in time is over; also a builtin TimeoutError
  - ConversationNotFoundError   no such conversation
  - ConversationBusyError       the same task still has an answer of this conversation open
  - NotInitialisedError         a call before `init()` or after `close()`; also a RuntimeError
  - APIError                    everything else that claude.ai or the way to it answers
    - BlockedError              the edge before claude.ai turns us away; calls are held back for a while
    - PermissionDeniedError     claude.ai refuses this account what was asked, a model for instance
    - OverloadedError           claude.ai says that it has too much to do
    - NetworkError              no connection, or it broke; it is not known whether the call took effect
      - BrokenOffError          an answer that had begun ended before its end
    - ProtocolError             an answer that cannot be understood
    - FileUploadError           a file was not taken
    - FileDownloadError         a file could not be fetched

No message, repr or attribute of these carries the session key. A wrong argument raises ValueError or TypeError, a local
file that cannot be read or written an OSError, as usual.
"""

import builtins
from datetime import datetime


class ClaudeWebAPIError(Exception):
    """Something went wrong with claude.ai."""

    def __init__(self, message: str, *, status_code: int | None = None) -> None:
        """`status_code`: the HTTP status, None if there was none or the error came in the middle of a stream."""
        super().__init__(message)
        self.status_code = status_code


class AuthenticationError(ClaudeWebAPIError):
    """The session key is empty, wrong or expired: log in again in a browser and copy the new one."""


class QuotaExceededError(ClaudeWebAPIError):
    """The account's message limit is used up. Nothing of an answer has come."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        reset_at: datetime | None = None,
        retry_after: float | None = None,
    ) -> None:
        """`reset_at`: when the limit is lifted, in UTC. `retry_after`: seconds until then, at least 0. None: not told."""
        super().__init__(message, status_code=status_code)
        self.reset_at = reset_at
        self.retry_after = retry_after


class TimeoutError(ClaudeWebAPIError, builtins.TimeoutError):  # noqa: A001 - the name is part of the interface
    """A call took longer than allowed, or an answer fell silent. It is not known whether the call took effect."""


class ConversationNotFoundError(ClaudeWebAPIError):
    """claude.ai has no such conversation in this organisation."""


class ConversationBusyError(ClaudeWebAPIError):
    """The same task still has an answer of this conversation open, and so would wait for itself: close that one first."""


class NotInitialisedError(ClaudeWebAPIError, RuntimeError):
    """A call before `init()` or after `close()`."""


class APIError(ClaudeWebAPIError):
    """claude.ai, or something on the way to it, answered with an error."""

    def __init__(self, message: str, *, status_code: int | None = None, kind: str | None = None, code: str | None = None) -> None:
        """`kind`, `code`: what sort of error it is in claude.ai's words, `overloaded_error` for instance; often there is
        no code.
        """
        super().__init__(message, status_code=status_code)
        self.kind = kind
        self.code = code


class BlockedError(APIError):
    """The edge before claude.ai takes us for an unwanted program and turned us away. Trying again does not help."""

    def __init__(self, message: str, *, status_code: int | None = None, retry_after: float | None = None) -> None:
        """`retry_after`: seconds for which this client holds back every call by itself, above 0."""
        super().__init__(message, status_code=status_code, kind="blocked")
        self.retry_after = retry_after


class PermissionDeniedError(APIError):
    """claude.ai refuses this account what was asked: a model that its plan does not have, for instance."""


class OverloadedError(APIError):
    """claude.ai is up and says that it has too much to do."""


class NetworkError(APIError):
    """No connection came about, or it broke. It is not known whether the call took effect."""


class BrokenOffError(NetworkError):
    """An answer that had begun ended before its end."""


class ProtocolError(APIError):
    """An answer that cannot be understood: the web API may have changed."""


class FileUploadError(APIError):
    """claude.ai did not take a file."""


class FileDownloadError(APIError):
    """claude.ai did not give a file, or has none of that name."""
