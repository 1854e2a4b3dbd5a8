"""Everything that can be done to a simulator from outside of Slack's own API. The HTTP control API mirrors it."""

from collections.abc import Sequence
from dataclasses import asdict

from sandbox.calls import CallLog
from sandbox.control.mishaps import Mishaps
from sandbox.faults import Faults
from sandbox.slack import lookup
from sandbox.slack.api.asked import Granted
from sandbox.slack.api.server import ApiServer
from sandbox.slack.downloads import Downloads
from sandbox.slack.limits import Limits
from sandbox.slack.model import Json
from sandbox.slack.people import People
from sandbox.slack.posting import Posting
from sandbox.slack.sending import Delivery
from sandbox.slack.sockets import Sockets
from sandbox.slack.views import message_view, seen, statuses_view, world_view
from sandbox.slack.world import World


class Control(People, Mishaps):
    """People, what they see, the mishaps of connections, what the app is granted, and faults.

    Paths of faults are `/chat.postMessage`, `/files-pri/…`, `/responses`.
    """

    def __init__(
        self,
        world: World,
        granted: Granted,
        delivery: Delivery,
        sockets: Sockets,
        posting: Posting,
        server: ApiServer,
        downloads: Downloads,
        calls: CallLog,
        faults: Faults,
        limits: Limits,
    ) -> None:
        super().__init__(world, delivery)
        Mishaps.__init__(self, calls, faults, downloads.spoils)
        self.granted = granted
        self.sockets = sockets
        self.posting = posting
        self.server = server
        self.downloads = downloads
        self.limits = limits

    # looking

    def messages(self, where: str, by: str | None = None, thread: str | None = None) -> list[Json]:
        """Every message that was ever in a channel, oldest first, deleted ones marked, with all that each ever showed.

        Without the ephemeral ones, but with those that only the person `by` sees. `thread` leaves one thread of it.
        """
        channel = lookup.channel(self.world, where)
        person = None if by is None else lookup.user(self.world, by).id
        found = [self.world.state.messages[ts] for ts in [*channel.messages, *channel.whispers]]
        kept = [each for each in found if each.ephemeral in (None, person)]
        kept = [each for each in kept if thread is None or thread in (each.ts, each.thread)]
        return [message_view(self.world, each) for each in sorted(kept, key=lambda each: each.ts)]

    def sees(self, by: str, where: str = "", thread: str | None = None) -> list[Json]:
        """What a person sees in a channel, or in the direct chat with the bot: see `views.seen`."""
        user = lookup.user(self.world, by).id
        channel = lookup.channel(self.world, where) if where else self.world.open_direct(user)
        return seen(self.world, channel, user, thread)

    def message(self, message: str) -> Json:
        """One message, also a deleted one."""
        return message_view(self.world, lookup.message(self.world, message))

    def everything(self) -> Json:
        """Users and channels."""
        return world_view(self.world)

    def statuses(self) -> list[Json]:
        """What the bot is said to do where, now."""
        return statuses_view(self.world)

    def sessions(self) -> list[Json]:
        """The agent sessions."""
        return [asdict(each) for each in self.world.state.sessions.values()]

    def prompts(self, by: str) -> Json | None:
        """The suggested prompts in a person's direct chat with the bot, with `title` and `prompts`."""
        direct = self.world.state.directs.get(lookup.user(self.world, by).id)
        return self.world.state.prompts.get(direct or "")

    def home(self, by: str) -> Json | None:
        """The view of a person's home tab."""
        return self.world.state.homes.get(lookup.user(self.world, by).id)

    def deliveries(self, after: int = 0) -> list[Json]:
        """The tries to deliver something with a number greater than `after`, the latest 100,000 at most."""
        return [each.as_json() for each in self.delivery.sent if each.number > after]

    def stats(self) -> Json:
        """How many calls were refused with 429 (`suffered`, and by method), and what connections and deliveries counted."""
        return {
            "suffered": self.limits.suffered,
            "suffered_by_method": dict(self.limits.by_method),
            "calls": len(self.calls),
            "connected": self.sockets.open,
            "on_their_way": self.delivery.busy,
            "given_up": self.delivery.given_up,
            **asdict(self.sockets.counts),
        }

    # what the app has

    async def set_round_trip(self, seconds: float) -> None:
        """Change the round-trip time, 0 or more seconds, from the next call on."""
        if seconds < 0:
            raise ValueError("a round trip is not negative")
        self.server.round_trip = self.delivery.round_trip = seconds

    async def set_token(self, token: str) -> None:
        """Change which bot token is good, as a new installation does."""
        self.granted.token = token

    async def set_app_token(self, token: str) -> None:
        """Change which app-level token is good."""
        self.granted.app_token = token

    async def set_scopes(self, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> list[str]:
        """Grant scopes, or take them away, as a new installation does. Returns those that the token then has."""
        self.granted.scopes = self.granted.scopes.union(add).difference(remove)
        self.delivery.scopes = self.granted.scopes
        return sorted(self.granted.scopes)

    async def set_subscriptions(self, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> list[str]:
        """Subscribe to events, or no longer, as a change of the manifest does. Returns what is then subscribed."""
        self.granted.subscriptions = self.granted.subscriptions.union(add).difference(remove)
        self.delivery.subscriptions = self.granted.subscriptions
        return sorted(self.granted.subscriptions)

    async def set_features(
        self,
        *,
        agent: bool | None = None,
        agent_sessions: bool | None = None,
        streaming: bool | None = None,
        messages_tab: bool | None = None,
        home_tab: bool | None = None,
    ) -> Json:
        """Give the app or its workspace features, or take them away; None leaves one. Returns all of them."""
        given = {
            "agent": agent,
            "agent_sessions": agent_sessions,
            "streaming": streaming,
            "messages_tab": messages_tab,
            "home_tab": home_tab,
        }
        for name, value in given.items():
            if value is not None:
                setattr(self.granted, name, value)
        return {name: getattr(self.granted, name) for name in given}

    async def set_request_url(self, url: str) -> None:
        """Deliver over HTTP to this address, once it has answered the challenge; an empty one goes back to Socket Mode."""
        if url:
            await self.posting.verify(url)
            self.delivery.send = self.posting.send
        else:
            self.delivery.send = self.sockets.send

    # mishaps

    async def drop(self) -> None:
        """Cut the Socket Mode connections."""
        self.sockets.drop()

    async def disconnect(self, reason: str = "refresh_requested", count: int | None = None) -> None:
        """Ask the oldest `count` connections, or all, to come again: see `Sockets.disconnect`."""
        self.sockets.disconnect(reason, count)

    async def deafen(self, count: int | None = None) -> None:
        """Let the oldest `count` connections, or all, lose what is sent to them, while pings go on."""
        self.sockets.deafen(count)

    async def zombify(self, count: int | None = None) -> None:
        """Leave the oldest `count` connections, or all, without any answer."""
        self.sockets.zombify(count)

    async def accept(self, accepting: bool = True) -> None:
        """Let new Socket Mode connections in, or refuse them."""
        self.sockets.accepting = accepting

    async def duplicate(self, count: int = 1) -> None:
        """Send the next events' envelopes twice over the same connection."""
        self.sockets.duplicates = count

    async def lose_acks(self, count: int = 1) -> None:
        """Lose the next answers to envelopes on their way, so that their events are delivered again."""
        self.sockets.lost_acks = count

    async def emit(self, event: Json) -> str:
        """Deliver an inner event just as it is given, and return its event_id."""
        return self.delivery.event(event)
