"""Everything that can be done to a simulator from outside of Discord's own API. The HTTP control API mirrors it."""

from dataclasses import asdict

from sandbox.calls import CallLog
from sandbox.control.mishaps import Mishaps
from sandbox.discord import lookup
from sandbox.discord.cdn import Cdn
from sandbox.discord.gateway import Gateway
from sandbox.discord.limits import Limits
from sandbox.discord.model import Json
from sandbox.discord.people import People
from sandbox.discord.rest.server import RestServer
from sandbox.discord.views import message_view, seen, typing_view, world_view
from sandbox.discord.world import World
from sandbox.faults import Faults


class Control(People, Mishaps):
    """People, what they see, the gateway's mishaps, and faults."""

    def __init__(
        self, world: World, gateway: Gateway, rest: RestServer, cdn: Cdn, calls: CallLog, faults: Faults, limits: Limits
    ) -> None:
        super().__init__(world)
        Mishaps.__init__(self, calls, faults, cdn.spoils)
        self.cdn = cdn
        self.gateway = gateway
        self.rest = rest
        self.limits = limits

    def messages(self, where: str, by: str | None = None) -> list[Json]:
        """Every message that was ever in a channel, oldest first, deleted ones marked, with all that each ever showed.

        Without the ephemeral ones, but with those that only the person `by` sees.
        """
        channel = lookup.channel(self.world, where)
        person = None if by is None else lookup.user(self.world, by).id
        messages = self.world.state.messages
        own = [each for each in channel.whispers if messages[each].ephemeral == person]
        return [message_view(self.world, messages[each]) for each in sorted([*channel.messages, *own])]

    def sees(self, by: str, where: str = "") -> list[Json]:
        """What a person sees in a channel, or in the direct chat with the bot: see `views.seen`."""
        user = lookup.user(self.world, by).id
        return seen(self.world, lookup.channel(self.world, where) if where else self.world.open_direct(user), user)

    def message(self, message: int | str) -> Json:
        """One message, also a deleted one."""
        return message_view(self.world, lookup.message(self.world, message))

    def everything(self) -> Json:
        """Users, guilds and channels."""
        return world_view(self.world)

    def typing(self) -> list[Json]:
        """Who shows the typing sign where, now."""
        return typing_view(self.world)

    def dispatches(self, after: int = 0) -> list[Json]:
        """The gateway's events that left with a number greater than `after`, the latest 100,000 at most."""
        return [asdict(written) for written in self.gateway.written if written.number > after]

    def stats(self) -> Json:
        """How many calls were refused with 429 (`suffered`), and what the gateway counted."""
        return {
            "suffered": self.limits.suffered,
            "calls": len(self.calls),
            "connected": self.gateway.connected,
            **asdict(self.gateway.counts),
        }

    async def set_round_trip(self, seconds: float) -> None:
        """Change the round-trip time, 0 or more seconds, from the next call on."""
        if seconds < 0:
            raise ValueError("a round trip is not negative")
        self.rest.round_trip = self.gateway.round_trip = seconds

    async def set_token(self, token: str) -> None:
        """Change which token is good, as a reset in the developer portal does."""
        self.rest.token = self.gateway.token = token

    async def set_message_content(self, granted: bool) -> None:
        """Grant or withdraw the Message Content intent in the developer portal."""
        self.gateway.message_content = granted

    async def drop(self) -> None:
        """Cut the gateway's sockets. Their sessions can be resumed."""
        self.gateway.drop()

    async def close_gateway(self, code: int) -> None:
        """Close the gateway's sockets with a code."""
        self.gateway.close(code)

    async def reconnect(self) -> None:
        """Ask the clients to connect anew (opcode 7)."""
        self.gateway.reconnect()

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Tell the clients that their session is invalid (opcode 9)."""
        self.gateway.invalidate(resumable=resumable)

    async def forget_sessions(self) -> None:
        """Let the next RESUME fail."""
        self.gateway.forget()

    async def zombify(self) -> None:
        """Leave the open sockets without any answer, heartbeats included."""
        self.gateway.zombify()

    async def duplicate(self, count: int = 1) -> None:
        """Send the next dispatches twice."""
        self.gateway.duplicates = count
