"""The world as tests and terminals read it: plain JSON."""

from dataclasses import asdict

from sandbox.slack.blocks import buttons_of
from sandbox.slack.mentions import as_read, block_texts
from sandbox.slack.model import Channel, Json, Message, Trigger
from sandbox.slack.payloads import file_json
from sandbox.slack.triggers import SILENCE
from sandbox.slack.world import World


def shown_text(world: World, message: Message) -> str:
    """What a message shows as its sender wrote it: its blocks when it has such with text, else its text.

    What was streamed comes before the blocks of chat.stopStream (its page: blocks are rendered after the text).
    """
    parts = [text for text, _ in block_texts(message.blocks)]
    if message.stream is not None:
        parts = [message.text, *parts]
    return "\n".join(parts) if parts else message.text


def read_text(world: World, message: Message) -> str:
    """What a person reads of a message: mrkdwn resolved, Markdown as it is."""
    users = world.state.users
    parts = [as_read(text, users) if mrkdwn else text for text, mrkdwn in block_texts(message.blocks)]
    own = message.text if message.markdown else as_read(message.text, users)
    if message.stream is not None:
        parts = [own, *parts]
    return "\n".join(parts) if parts else own


def message_view(world: World, message: Message) -> Json:
    """A message with everything it ever showed."""
    users = world.state.users
    stream = message.stream
    return {
        "id": message.ts,
        "ts": message.ts,
        "channel": message.channel,
        "thread": message.thread,
        "broadcast": message.broadcast,
        "author": users[message.user].name,
        "author_id": message.user,
        "content": shown_text(world, message),
        "text": message.text,
        "markdown": message.markdown,
        "blocks": message.blocks,
        "buttons": [each["label"] for each in buttons_of(message.blocks)],
        "attachments": [file_json(world, world.state.files[each]) for each in message.files],
        "metadata": message.metadata,
        "subtype": message.subtype,
        "created": message.created,
        "edited_at": message.edited,
        "deleted": message.deleted is not None,
        "deleted_at": message.deleted,
        "pinged": asdict(message.pings),
        "unfurl": message.unfurl,
        "ephemeral": None if message.ephemeral is None else users[message.ephemeral].name,
        "trigger": message.trigger,
        "reactions": {name: list(who) for name, who in message.reactions.items()},
        "stream": None if stream is None else asdict(stream) | {"state": world.standing(message)},
        "history": [{"at": shown.at, "content": shown.text} for shown in message.shown],
    }


def seen(world: World, channel: Channel, user: str, thread: str | None = None) -> list[Json]:
    """What one person sees in a channel, or in one thread of it, oldest first.

    `text` is what they read; `state` is `streaming`, `broken` for a stream that ran out without an end, `silent` for a
    command that nobody answered, else None.
    """
    if user not in channel.members and channel.kind != "channel":
        return []
    found = [world.state.messages[each] for each in [*channel.messages, *channel.whispers]]
    visible = [each for each in found if each.deleted is None and each.ephemeral in (None, user)]
    lines = [(each.created, each.ts, _seen(world, each)) for each in visible]
    for each in world.state.triggers.values():
        if (each.channel, each.user, each.outcome, each.kind) == (channel.id, user, SILENCE, "command"):
            lines.append((each.created, each.id, _silent(each)))
    ordered = [line for _, _, line in sorted(lines, key=lambda each: each[:2])]
    return ordered if thread is None else [line for line in ordered if thread in (line["id"], line["thread"])]


def _seen(world: World, message: Message) -> Json:
    standing = world.standing(message)
    return {
        "id": message.ts,
        "author": world.state.users[message.user].name,
        "text": read_text(world, message),
        "thread": message.thread,
        "buttons": [each["label"] for each in buttons_of(message.blocks)],
        "attachments": [world.state.files[each].name for each in message.files],
        "reactions": {name: len(users) for name, users in message.reactions.items()},
        "ephemeral": message.ephemeral is not None,
        "edited": message.edited is not None,
        "state": {"streaming": "streaming", "expired": "broken"}.get(standing or ""),
    }


def _silent(trigger: Trigger) -> Json:
    text = f'{trigger.name} failed with the error "{SILENCE}"'
    nothing: Json = {"thread": None, "buttons": [], "attachments": [], "reactions": {}, "ephemeral": True, "edited": False}
    return {"id": trigger.id, "author": "slackbot", "text": text, "state": "silent"} | nothing


def trigger_view(trigger: Trigger) -> Json:
    """A command or press. `outcome` is None while nobody has answered yet."""
    return {name: value for name, value in asdict(trigger).items() if name != "secret"}


def channel_view(world: World, channel: Channel) -> Json:
    """A channel or direct chat."""
    return {
        "id": channel.id,
        "kind": {"im": "direct", "group": "private", "channel": "public"}[channel.kind],
        "name": channel.name,
        "person": None if channel.person is None else world.state.users[channel.person].name,
        "bot_in": world.me in channel.members,
        "members": sorted(channel.members),
        "archived": channel.archived,
        "read_only": channel.read_only,
        "external": channel.external,
        "messages": len(channel.messages),
    }


def world_view(world: World) -> Json:
    """Users, and the channels that are not deleted."""
    state = world.state
    return {
        "bot": world.me,
        "team": world.team,
        "users": [
            {"id": user.id, "name": user.name, "display": user.display, "bot": user.bot_id is not None, "team": user.team}
            for user in state.users.values()
        ],
        "channels": [channel_view(world, each) for each in state.channels.values() if not each.deleted],
    }


def statuses_view(world: World) -> list[Json]:
    """What the bot is said to do where, now."""
    now = world.now()
    return [
        {"channel": channel, "thread": thread, "status": status.text, "loading": list(status.loading), "until": status.until}
        for (channel, thread), status in world.statuses.items()
        if status.until > now
    ]
