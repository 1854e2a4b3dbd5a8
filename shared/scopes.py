"""What holds where: choices of people, and the operator's settings by platform and channel. The narrowest scope wins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal
from uuid import UUID

from shared.chat import Channel, ChannelId
from shared.commands import SCOPES, Scope
from shared.store import Store

Won = Scope | Literal["default"]
"""The scope that a value comes from; "default" is what the server was started with."""

Layer = tuple[Scope, Mapping[str, str]]
"""What was chosen in one scope, by name."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value, and where it comes from."""

    value: str
    scope: Won


def channel_of(place: Channel) -> ChannelId:
    """The channel that a choice for "the channel" holds for: a thread belongs to the one it is in."""
    return place.parent or place.id


def key(scope: Scope, platform: str, place: Channel, conversation: UUID | None) -> str | None:
    """The name under which the store keeps the choices of a scope; None where there is no conversation to choose for."""
    match scope:
        case "global":
            return "global"
        case "platform":
            return f"platform:{platform}"
        case "channel":
            return f"channel:{channel_of(place)}"
        case "conversation":
            return None if conversation is None else f"conversation:{conversation}"


def changed(values: Mapping[str, str], name: str, value: str | None) -> Mapping[str, str]:
    """The values of a scope after one was chosen, or taken back with None. Pure."""
    rest = {each: kept for each, kept in values.items() if each != name}
    return rest if value is None else {**rest, name: value}


def narrowest(layers: Sequence[Layer], defaults: Mapping[str, str]) -> Mapping[str, Chosen]:
    """What holds for each name: the value of the first layer that has one, else the default. Pure.

    `layers` go from the narrowest to the widest.
    """
    holds = {name: Chosen(value, "default") for name, value in defaults.items()}
    for scope, values in reversed(layers):
        holds |= {name: Chosen(value, scope) for name, value in values.items()}
    return holds


class Choices:
    """What people have chosen: the model, the effort, further instructions."""

    def __init__(self, store: Store, defaults: Mapping[str, str]) -> None:
        """`defaults` are what holds where nobody has chosen."""
        self._store = store
        self._defaults = dict(defaults)

    async def of(self, platform: str, place: Channel, conversation: UUID | None) -> Mapping[str, Chosen]:
        """What holds in a conversation of this place; the narrowest scope wins. One read."""
        return narrowest(await self._layers(platform, place, conversation), self._defaults)

    async def after(
        self, platform: str, place: Channel, conversation: UUID | None, *, scope: Scope, name: str, value: str | None
    ) -> Mapping[str, Chosen]:
        """What will hold there once this was chosen, or taken back with None."""
        layers = await self._layers(platform, place, conversation)
        return narrowest(
            [(each, changed(values, name, value) if each == scope else values) for each, values in layers], self._defaults
        )

    async def _layers(self, platform: str, place: Channel, conversation: UUID | None) -> Sequence[Layer]:
        keys: dict[Scope, str | None] = {scope: key(scope, platform, place, conversation) for scope in SCOPES}
        found = await self._store.choices([name for name in keys.values() if name])
        return [(scope, found.get(name or "", {})) for scope, name in keys.items()]


@dataclass(frozen=True, slots=True)
class IdleTimes:
    """After how long without a person's message a conversation is closed; None is never.

    A time of its own for a platform wins over `everywhere`, one for a channel (its threads included) or a thread over both.
    """

    everywhere: timedelta | None = timedelta(hours=24)
    platforms: Mapping[str, timedelta | None] = field(default_factory=dict[str, timedelta | None])
    channels: Mapping[ChannelId, timedelta | None] = field(default_factory=dict[ChannelId, timedelta | None])

    def of(self, platform: str, place: Channel) -> tuple[timedelta | None, Scope]:
        """The time of a place, and the scope that it comes from."""
        for channel in (place.id, place.parent):
            if channel is not None and channel in self.channels:
                return self.channels[channel], "channel"
        if platform in self.platforms:
            return self.platforms[platform], "platform"
        return self.everywhere, "global"

    def shortest(self, platform: str) -> timedelta | None:
        """The shortest time that any place of the platform may have; None if none is ever closed."""
        here = [time for channel, time in self.channels.items() if channel.partition(":")[0] == platform]
        times = [time for time in (*here, self.platforms.get(platform, self.everywhere)) if time is not None]
        return min(times, default=None)
