"""Who may talk to us, and where: the allow-lists of one platform."""

from dataclasses import dataclass, field

from shared.chat import Message


@dataclass(frozen=True, slots=True)
class Access:
    """The allow-lists of one platform; an empty list of spaces, channels, roles or users lets everyone through.

    Entries are the platform's own ids, as its settings give them. `direct_open` lets anyone write in direct chats; otherwise
    only those listed in `users` may.
    """

    spaces: frozenset[str] = field(default_factory=frozenset[str])
    channels: frozenset[str] = field(default_factory=frozenset[str])
    roles: frozenset[str] = field(default_factory=frozenset[str])
    users: frozenset[str] = field(default_factory=frozenset[str])
    direct_open: bool = False

    def allows(self, message: Message) -> bool:
        """Whether this person may be answered in this place.

        In a space, the space and the channel (or a thread's parent) must be listed, and the person or one of their roles.
        """
        channel = message.target.channel
        listed = _bare(message.author.id) in self.users
        if channel.kind == "direct":
            return self.direct_open or listed
        if self.spaces and (channel.space is None or _bare(channel.space) not in self.spaces):
            return False
        if self.channels and not {_bare(place) for place in (channel.id, channel.parent) if place} & self.channels:
            return False
        if not self.users and not self.roles:
            return True
        return listed or bool({_bare(role) for role in message.author.roles} & self.roles)


def _bare(identity: str) -> str:
    """An id without the platform's name in front."""
    return identity.partition(":")[2] or identity
