"""What people do with the bot's commands, buttons and sessions."""

from sandbox.slack import lookup, triggers
from sandbox.slack.blocks import buttons_of
from sandbox.slack.model import Json, Trigger
from sandbox.slack.sending import Delivery
from sandbox.slack.views import trigger_view
from sandbox.slack.world import Happening, World, secret


class Wrong(ValueError):
    """What Slack's client would not let a person do. The text says why."""


class Interacting:
    """Calling, pressing and stopping. Names are resolved as in `lookup`."""

    def __init__(self, world: World, delivery: Delivery) -> None:
        self.world = world
        self.delivery = delivery
        self.offered = set(world.config.commands)
        """The slash commands of the app."""

    async def call(self, by: str, name: str, where: str = "", text: str = "", thread: str | None = None) -> Json:
        """Give a slash command in a channel, or without one in the direct chat with the bot, and return the trigger.

        It works where the bot is not, too. Raises `Wrong` for an unknown command, in a channel that the person is not in,
        and in a thread (docs.slack.dev, Implementing slash commands: not in threads).
        """
        user = lookup.user(self.world, by).id
        channel = lookup.channel(self.world, where) if where else self.world.open_direct(user)
        command = name if name.startswith("/") else f"/{name}"
        if command not in self.offered:
            raise Wrong(f"{command} is not a valid command")
        if user not in channel.members:
            raise Wrong(f"{by} is not in {where}")
        if thread is not None:
            raise Wrong(f"{command} is not supported in threads")
        trigger = self._begin("command", command, text, user, channel.id)
        self._deliver(trigger, triggers.command_payload(self.world, trigger))
        return trigger_view(trigger)

    async def press(self, by: str, message: str, button: str) -> Json:
        """Press a button, by its label, action_id or value, and return the trigger. Raises `Wrong`."""
        found = lookup.message(self.world, message)
        user = lookup.user(self.world, by).id
        channel = self.world.state.channels[found.channel]
        if found.deleted is not None or found.ephemeral not in (None, user) or user not in channel.members:
            raise Wrong(f"{by} does not see message {message}")
        offered = list(buttons_of(found.blocks))
        pressed = next(
            (each for each in offered if button in (each["label"], each["action"]["action_id"], each["action"].get("value"))),
            None,
        )
        if pressed is None:
            raise Wrong(f"there is no button {button}; there are: {', '.join(each['label'] for each in offered) or 'none'}")
        action: Json = pressed["action"]
        trigger = self._begin("action", action["action_id"], action.get("value", ""), user, channel.id)
        self.world.set_trigger(trigger, message=found.ts, thread=found.thread)
        self._deliver(trigger, triggers.action_payload(self.world, trigger, found, action))
        return trigger_view(trigger)

    async def stop(self, by: str, where: str, thread: str) -> Json:
        """Press the Stop button of an agent session.

        Its streams are stopped by Slack; the session's status is left to the app (agent_session_stopped event). Raises
        `Wrong` where there is no such button: no session that is processing, or the app not subscribed to the event.
        """
        channel, user = lookup.channel(self.world, where), lookup.user(self.world, by).id
        session = self.world.state.sessions.get((channel.id, thread))
        if session is None or session.status != "processing":
            raise Wrong("no session is processing there")
        if "agent_session_stopped" not in self.delivery.subscriptions:
            raise Wrong("the app is not subscribed to agent_session_stopped")
        replies = self.world.replies(thread)
        streams = [each for each in replies if each.user == self.world.me and self.world.standing(each) == "streaming"]
        for each in streams:
            self.world.set_stream(each, "stopped_by_user")
        event: Json = {"thread_ts": thread, "user": user, "streaming_message_ts": [each.ts for each in streams]}
        self.world.tell(Happening("stopped", {"op": "stopped", "event": event}, channel.id))
        return {"stopped": event["streaming_message_ts"]}

    async def open_home(self, by: str, tab: str = "messages") -> None:
        """Open the app's home or its messages tab (docs.slack.dev, app_home_opened event)."""
        if tab not in ("home", "messages"):
            raise Wrong("the tabs are home and messages")
        user = lookup.user(self.world, by).id
        channel = self.world.open_direct(user)
        event: Json = {"user": user, "tab": tab}
        if tab == "home" and user in self.world.state.homes:
            event["view"] = self.world.state.homes[user]
        self.world.tell(Happening("opened", {"op": "opened", "event": event}, channel.id))

    def trigger(self, trigger: str) -> Json:
        """One command or press."""
        found = self.world.state.triggers.get(trigger)
        if found is None:
            raise lookup.Unknown(f"no trigger {trigger}")
        return trigger_view(found)

    def triggers(self) -> list[Json]:
        """Every command and press there ever was, oldest first."""
        return [trigger_view(each) for each in self.world.state.triggers.values()]

    async def expire_responses(self) -> None:
        """Let every response_url given so far be over, as after half an hour."""
        for each in self.world.state.triggers.values():
            self.world.set_trigger(each, over=True)

    async def expire_streams(self) -> None:
        """Let every stream that is open run out, as after five minutes."""
        for each in list(self.world.state.messages.values()):
            if self.world.standing(each) == "streaming":
                self.world.set_stream(each, "expired")

    def _begin(self, kind: str, name: str, text: str, user: str, channel: str) -> Trigger:
        number = self.world.ids.next("Tr")
        made = Trigger(
            number, "command" if kind == "command" else "action", name, text, user, channel, self.world.now(), secret()
        )
        self.world.begin(made)
        return self.world.state.triggers[number]

    def _deliver(self, trigger: Trigger, payload: Json) -> None:
        self.delivery.trigger(trigger, payload, lambda answered: triggers.done(self.world, trigger, answered))
