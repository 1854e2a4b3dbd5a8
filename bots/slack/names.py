"""Ids: Slack's own, and those of the seam that are made of them.

A channel is "slack:C1", a thread "slack:C1/1700000000.000100" by the ts of its root, and a message "slack:C1/1700000000.000200".
The workspace is left out: an adapter has one, and Slack's ids of channels and users do not repeat across workspaces.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.chat import AuthorId, ChannelId, MessageId

NAME = "slack"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A channel by Slack's own id; `root` is the ts of the thread's first message where it is a thread."""

    channel: str
    root: str | None = None


def channel_id(channel: str, root: str | None = None) -> ChannelId:
    """The id of a channel, or of a thread in it, across the seam."""
    return ChannelId(f"{NAME}:{channel}/{root}" if root else f"{NAME}:{channel}")


def message_id(channel: str, ts: str) -> MessageId:
    """The id of a message across the seam."""
    return MessageId(f"{NAME}:{channel}/{ts}")


def author_id(user: str) -> AuthorId:
    """The id of a user across the seam."""
    return AuthorId(f"{NAME}:{user}")


def space_id(team: str) -> str:
    """The id of a workspace across the seam."""
    return f"{NAME}:{team}"


def bare(identity: str) -> str:
    """Slack's part of an id of the seam. Raises `ValueError` for an id of another platform."""
    name, _, rest = identity.partition(":")
    if name != NAME or not rest:
        raise ValueError(f"not an id of {NAME}: {identity!r}")
    return rest


def place_of(channel: ChannelId) -> Place:
    """Where a channel of the seam is. Raises `ValueError` for one of another platform."""
    found, _, root = bare(channel).partition("/")
    return Place(found, root or None)


def ts_of(message: MessageId) -> str:
    """The ts of a message. Raises `ValueError` for one of another platform."""
    return bare(message).rpartition("/")[2]


def moment(ts: str) -> datetime:
    """When a ts was made; the beginning of time for what is none."""
    return _EPOCH + timedelta(microseconds=order(ts))


def stamp(time: datetime) -> str:
    """The ts of a time."""
    seconds, micro = divmod((time - _EPOCH) // timedelta(microseconds=1), 1_000_000)
    return f"{seconds}.{micro:06d}"


def order(ts: str) -> int:
    """A ts as microseconds, which sorts as time does; 0 for what is none."""
    seconds, _, rest = ts.partition(".")
    if not seconds.isdigit() or (rest and not rest.isdigit()):
        return 0
    return int(seconds) * 1_000_000 + int(rest[:6].ljust(6, "0"))
