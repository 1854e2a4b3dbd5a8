"""Who may talk to us, and where, and who may choose for others: the lists of the platforms."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from shared.chat import Author, Channel, ChannelId

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """The lists of one platform; an empty list of spaces, channels, roles or users lets everyone through.

    Entries are the platform's own ids, as its settings give them. `direct_open` lets anyone write in direct chats; otherwise
    only those listed in `users` or `admins` may. `admins` may write wherever the space and the channel are not excluded.
    """

    spaces: frozenset[str] = field(default_factory=frozenset[str])
    channels: frozenset[str] = field(default_factory=frozenset[str])
    roles: frozenset[str] = field(default_factory=frozenset[str])
    users: frozenset[str] = field(default_factory=frozenset[str])
    admins: frozenset[str] = field(default_factory=frozenset[str])
    direct_open: bool = False

    def allows(self, author: Author, channel: Channel) -> bool:
        """Whether this person may be answered in this place.

        In a space, the space and the channel (or a thread's parent) must be listed, and the person or one of their roles. The
        space is the person's own, where they have one: others may share a channel with them.
        """
        listed = _bare(author.id) in self.users or self.administers(author)
        if channel.kind == "direct":
            return listed or (self.direct_open and (author.space is None or self._within(author.space)))
        if not self._within(author.space or channel.space):
            return False
        if self.channels and not {_bare(place) for place in (channel.id, channel.parent) if place} & self.channels:
            return False
        if not self.users and not self.roles:
            return True
        return listed or bool({_bare(role) for role in author.roles} & self.roles)

    def _within(self, space: str | None) -> bool:
        return not self.spaces or (space is not None and _bare(space) in self.spaces)

    def administers(self, author: Author) -> bool:
        """Whether this person may choose for others, and see what others use."""
        return _bare(author.id) in self.admins


class Named:
    """What the settings say of channels by their ids. It goes on to hold for a channel that becomes another."""

    def __init__(self, access: Mapping[str, Access], idle: Mapping[ChannelId, timedelta | None]) -> None:
        """`access` has the lists of each platform, `idle` the times of channels that have one of their own."""
        self.access = dict(access)
        self.idle = dict(idle)

    def follow(self, platform: str, moved: Mapping[ChannelId, ChannelId]) -> None:
        """Channels have become others: by what they were called before, what they are called now. The operator is told."""
        for old, new in moved.items():
            access = self.access.get(platform, Access())
            if _bare(old) in access.channels and _bare(new) not in access.channels:
                self.access[platform] = replace(access, channels=access.channels | {_bare(new)})
                _tell(platform, old, new, "the allowed channels")
            if old in self.idle and new not in self.idle:
                self.idle[new] = self.idle[old]
                _tell(platform, old, new, "IDLE_CHANNELS")


def _tell(platform: str, old: ChannelId, new: ChannelId, where: str) -> None:
    log.warning("a channel has another id now: change it in the settings", platform=platform, setting=where, old=old, new=new)


def _bare(identity: str) -> str:
    """An id without the platform's name in front."""
    return identity.partition(":")[2] or identity
