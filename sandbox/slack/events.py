"""What the app is told of each change, as inner events of the Events API (docs.slack.dev, Events reference)."""

from collections.abc import Iterator

from sandbox.slack import defaults
from sandbox.slack.model import Channel, Json, Message
from sandbox.slack.payloads import message_json
from sandbox.slack.world import Happening, World

_NAMES = {"channel": "message.channels", "group": "message.groups", "im": "message.im"}
_SCOPES = {"channel": "channels:history", "group": "groups:history", "im": "im:history"}


def events_of(world: World, happening: Happening, subscribed: frozenset[str], scopes: frozenset[str]) -> Iterator[Json]:
    """The inner events of a change for which the app is subscribed, has the scope, and is in the channel."""
    channel = world.state.channels.get(happening.channel or "")
    if channel is None:
        return
    if happening.op == "member":
        name = "member_joined_channel" if happening.change["joined"] else "member_left_channel"
        if name in subscribed and (world.me in channel.members or happening.change["user"] == world.me):
            yield {"type": name, "user": happening.change["user"], "channel": channel.id, "team": world.team} | _now(world)
        return
    if world.me not in channel.members:
        return
    if happening.op in ("opened", "stopped"):
        event: Json = {"type": "app_home_opened" if happening.op == "opened" else "agent_session_stopped"}
        event |= happening.change["event"] | {"channel": channel.id} | _now(world)
        if event["type"] in subscribed:
            yield event
    elif happening.op == "react":
        yield from _reaction(world, happening, subscribed, scopes)
    elif happening.op == "channel_set" and happening.change["value"]:
        name = {"archived": "channel_archive", "deleted": "channel_deleted"}.get(happening.change["field"])
        if name in subscribed:
            yield {"type": name, "channel": channel.id, "user": defaults.PEOPLE["user1"][0]} | _now(world)
    elif happening.message is not None:
        yield from _of_message(world, channel, happening, subscribed, scopes)


def _reaction(world: World, happening: Happening, subscribed: frozenset[str], scopes: frozenset[str]) -> Iterator[Json]:
    change = happening.change
    name = "reaction_added" if change["added"] else "reaction_removed"
    if name in subscribed and "reactions:read" in scopes:
        message = world.state.messages[change["ts"]]
        item = {"type": "message", "channel": message.channel, "ts": message.ts}
        event: Json = {"type": name, "user": change["user"], "reaction": change["emoji"], "item": item}
        yield event | {"item_user": message.user} | _now(world)


def _of_message(
    world: World, channel: Channel, happening: Happening, subscribed: frozenset[str], scopes: frozenset[str]
) -> Iterator[Json]:
    message = world.state.messages[happening.message or ""]
    if message.ephemeral is not None:
        return  # docs.slack.dev, chat.postEphemeral: no event tells of it
    told = _NAMES[channel.kind] in subscribed and _SCOPES[channel.kind] in scopes
    where: Json = {"channel": channel.id, "channel_type": channel.kind}
    if happening.op == "message":
        event = message_json(world, message) | where | {"event_ts": message.ts}
        if message.broadcast:
            event["subtype"] = "thread_broadcast"
        mentions = _mention(world, channel, message, event) if _hears(subscribed, scopes) else []
        both = [*mentions, *([event] if told else [])]
        yield from both if world.config.mention_first else reversed(both)
        return
    if not told:
        return
    hidden: Json = {"type": "message", "hidden": True, **where, **_now(world)}
    hidden["ts"] = hidden["event_ts"]
    if happening.op == "delete" and happening.before is not None:
        previous = message_json(world, happening.before)
        if message.thread is None and world.replies(message.ts):
            changed = {"subtype": "message_changed", "message": message_json(world, message), "previous_message": previous}
            yield hidden | changed
        else:
            yield hidden | {"subtype": "message_deleted", "deleted_ts": message.ts, "previous_message": previous}
    elif happening.op in ("edit", "unfurl"):
        # Slack does not say whether each piece of a stream is told of; here only chat.stopStream is, like any other change.
        previous = message_json(world, happening.before or message)
        yield hidden | {"subtype": "message_changed", "message": message_json(world, message), "previous_message": previous}


def _hears(subscribed: frozenset[str], scopes: frozenset[str]) -> bool:
    return "app_mention" in subscribed and "app_mentions:read" in scopes


def _mention(world: World, channel: Channel, message: Message, event: Json) -> list[Json]:
    """The app_mention beside a message event: same ts, another event_id. Direct chats have none (app_mention event)."""
    if channel.kind == "im" or message.user == world.me or f"<@{world.me}" not in message.text:
        return []
    kept = {name: value for name, value in event.items() if name not in ("channel_type", "subtype")}
    return [kept | {"type": "app_mention"}]


def _now(world: World) -> Json:
    return {"event_ts": world.ids.ts()}


def callback(world: World, event: Json, event_id: str) -> Json:
    """The envelope of an inner event (docs.slack.dev, Events API: Callback field overview)."""
    authorization = {
        "enterprise_id": None,
        "team_id": world.team,
        "user_id": world.me,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    channel = world.state.channels.get(str(event.get("channel")))
    return {
        "token": "legacy-verification-token",
        "team_id": world.team,
        "context_team_id": world.team,
        "context_enterprise_id": None,
        "api_app_id": defaults.APP,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(world.now()),
        "authorizations": [authorization],
        "is_ext_shared_channel": channel is not None and channel.external,
        "event_context": f"4-{event_id}",
    }
