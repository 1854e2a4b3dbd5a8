"""Everything that can be done to a simulator from outside of Telegram's own API. The HTTP control API mirrors it."""

from dataclasses import asdict

from sandbox.calls import CallLog
from sandbox.control.mishaps import Mishaps
from sandbox.faults import Faults
from sandbox.telegram import lookup
from sandbox.telegram.api.server import ApiServer, Granted
from sandbox.telegram.downloads import Downloads
from sandbox.telegram.limits import Limits
from sandbox.telegram.managing import Managing
from sandbox.telegram.model import Json
from sandbox.telegram.updates import Updates, update_json
from sandbox.telegram.views import message_view, seen, world_view
from sandbox.telegram.webhooks import Webhooks
from sandbox.telegram.world import World


class Control(Managing, Mishaps):
    """People, what they see, updates on their way, the bot's token, and faults.

    In the log and for faults a path is `/<method>`, as the caller writes it, or `/file/<file_path>`, without the token.
    """

    def __init__(
        self,
        world: World,
        granted: Granted,
        updates: Updates,
        webhooks: Webhooks,
        server: ApiServer,
        downloads: Downloads,
        calls: CallLog,
        faults: Faults,
        limits: Limits,
    ) -> None:
        super().__init__(world, updates)
        Mishaps.__init__(self, calls, faults, downloads.spoils)
        self.granted = granted
        self.webhooks = webhooks
        self.server = server
        self.downloads = downloads
        self.limits = limits

    # looking

    def messages(self, where: str, topic: str | int | None = None) -> list[Json]:
        """Every message that was ever in a chat, or in one topic, oldest first, deleted ones marked, with all that each ever
        showed. `topic` is a topic's name or id."""
        chat = lookup.chat(self.world, where)
        wanted = lookup.topic(chat, topic)
        found = [self.world.state.messages[chat.id, each] for each in chat.messages]
        return [message_view(self.world, each) for each in found if topic is None or each.topic == wanted]

    def sees(self, by: str, where: str = "", topic: str | int | None = None) -> list[Json]:
        """What a person sees in a chat, or in the private chat with the bot: see `views.seen`."""
        user = lookup.user(self.world, by).id
        chat = lookup.chat(self.world, where) if where else self.world.open_private(user)
        lines = seen(self.world, chat, user)
        wanted = lookup.topic(chat, topic)
        return lines if topic is None else [each for each in lines if each["topic"] == wanted]

    def message(self, message: str) -> Json:
        """One message, also a deleted one."""
        return message_view(self.world, lookup.message(self.world, message))

    def everything(self) -> Json:
        """Users and chats."""
        return world_view(self.world)

    def drafts(self) -> list[Json]:
        """The drafts that show now."""
        return [asdict(each) for each in self.world.drafts()]

    def actions(self) -> list[Json]:
        """The chat actions that show now."""
        return self.world.actions()

    def waiting(self) -> list[Json]:
        """The updates that the bot has not confirmed, oldest first."""
        return [update_json(each) for each in self.updates.pending()]

    def deliveries(self, after: int = 0) -> list[Json]:
        """The updates that left, with a number greater than `after`, the latest 100,000 at most."""
        return [asdict(each) for each in self.updates.sent if each.number > after]

    def stats(self) -> Json:
        """How many calls were refused with 429 (`suffered`, by method and by chat), and how updates fared."""
        return {
            "suffered": self.limits.suffered,
            "suffered_by_method": dict(self.limits.by_method),
            "suffered_by_chat": {str(chat): count for chat, count in self.limits.by_chat.items()},
            "calls": len(self.calls),
            "polling": self.updates.polling,
            "conflicts": self.updates.conflicts,
            "waiting": len(self.updates.pending()),
            "delivered": len(self.updates.sent),
            "redelivered": sum(each.attempt > 1 for each in self.updates.sent),
            "webhook_attempts": self.webhooks.attempts,
            "webhook_failed": self.webhooks.failed,
        }

    # what the bot has

    async def set_round_trip(self, seconds: float) -> None:
        """Change the round-trip time, 0 or more seconds, from the next call on."""
        if seconds < 0:
            raise ValueError("a round trip is not negative")
        self.server.round_trip = seconds

    async def set_token(self, token: str) -> None:
        """Change which token is good, as BotFather does; the old one is answered 401."""
        self.granted.token = token

    async def set_privacy(self, privacy: bool) -> None:
        """Turn privacy mode on or off. It counts in groups that the bot joins from then on (core.telegram.org/bots/features)."""
        self.world.privacy = privacy

    # mishaps

    async def drop(self) -> None:
        """Cut the connection of the poll that waits."""
        self.updates.release(cut=True)

    async def emit(self, kind: str, body: Json, queue: int = 0) -> int | None:
        """Queue an update just as it is given and return its update_id; None when the bot has not asked for its kind."""
        return self.updates.add(kind, body, queue)

    async def expire_updates(self) -> None:
        """Drop every update that waits, as after 24 hours."""
        self.updates.forget([each.id for each in self.updates.pending()])

    async def expire_links(self) -> None:
        """Let every file_path so far be over, as after an hour."""
        for path, (file, _) in list(self.world.state.links.items()):
            self.world.commit({"op": "link", "path": path, "file": file, "until": 0.0})
