"""What Slack's errors mean (docs.slack.dev: each method's page, Errors; Web API: Evaluating responses)."""

import aiohttp
from slack_sdk.errors import SlackClientError

from bots.slack.quiet import hide
from shared.errors import Failure, Forbidden, Gone, RateLimited, Refused, TooLarge, Unavailable

AUTH = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"})
"""The token is not good, or no longer; the last one may be about the method alone."""

RATE = frozenset({"ratelimited", "rate_limited"})

_GONE = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "is_inactive",
        "message_not_found",
        "thread_not_found",
        "file_not_found",
        "file_deleted",
        "user_not_found",
        "cannot_reply_to_message",
    }
)
_FORBIDDEN = frozenset(
    {
        "access_denied",
        "as_user_not_supported",
        "cant_delete_message",
        "cant_update_message",
        "compliance_exports_prevent_deletion",
        "edit_window_closed",
        "ekm_access_denied",
        "feature_disabled",
        "file_uploads_disabled",
        "message_not_owned_by_app",
        "messages_tab_disabled",
        "missing_scope",
        "no_permission",
        "not_agent_app",
        "not_in_channel",
        "org_login_required",
        "posting_to_channel_denied",
        "posting_to_general_channel_denied",
        "team_access_not_granted",
        "user_not_in_channel",
    }
)
_TOO_LARGE = frozenset({"msg_too_long", "msg_blocks_too_long", "file_upload_size_restricted", "storage_limit_reached"})
_PASSES = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable", "team_added_to_org"})


def refusal(code: str, detail: str, wait: float) -> Failure:
    """The failure that a code means; `wait` is Retry-After in seconds."""
    failed = _kind(code, detail, wait)
    failed.__cause__ = Said(code)
    return failed


class Said(Exception):
    """What Slack said, as the cause of a failure."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def code_of(failed: BaseException) -> str:
    """Slack's code behind a failure; empty where there is none."""
    cause = failed.__cause__
    return cause.code if isinstance(cause, Said) else ""


def _kind(code: str, detail: str, wait: float) -> Failure:
    if code in RATE:
        return RateLimited(detail, wait)
    if code in _GONE:
        return Gone(detail)
    if code in _FORBIDDEN or code.startswith("restricted_action"):
        return Forbidden(detail)
    if code in _TOO_LARGE:
        return TooLarge(detail)
    if code in _PASSES:
        return Unavailable(detail)
    return Refused(detail)


def broken(what: str, error: BaseException) -> Failure:
    """A failure on the way, or an answer that cannot be read."""
    if isinstance(error, (OSError, aiohttp.ClientError, SlackClientError)):
        return Unavailable(hide(f"Slack: {what}: {type(error).__name__}: {error}")[:300])  # TimeoutError is an OSError
    if isinstance(error, RuntimeError) and str(error) == "Session is closed":
        return Unavailable("Slack: the connection was closed")
    return Unavailable(hide(f"Slack: {what}: an answer that cannot be read: {error!r}")[:300])
