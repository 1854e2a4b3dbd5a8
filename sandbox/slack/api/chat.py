"""Posting, changing and deleting messages (docs.slack.dev: chat.postMessage, chat.postEphemeral, chat.update, chat.delete)."""

from typing import Any

from sandbox.slack.api.asked import Asked
from sandbox.slack.api.composing import composed
from sandbox.slack.errors import ApiError
from sandbox.slack.model import Channel, Json
from sandbox.slack.payloads import message_json
from sandbox.slack.world import Draft


def post(asked: Asked) -> Json:
    """chat.postMessage. A user's id as channel stands for the direct chat with them."""
    channel = _target(asked)
    asked.writable(channel)
    content = composed(asked)
    thread = asked.thread(channel)
    draft = Draft(
        asked.world.me,
        content.text or "",
        markdown=content.markdown,
        blocks=content.blocks or [],
        attachments=content.attachments or [],
        thread=thread,
        broadcast=thread is not None and asked.flag("reply_broadcast"),
        metadata=asked.metadata() or None,
        unfurl=asked.arguments.get("unfurl_links") is None or asked.flag("unfurl_links"),
    )
    message = asked.world.post(channel, draft)
    body = message_json(asked.world, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": body}


def _target(asked: Asked) -> Channel:
    named = asked.need("channel")
    world = asked.world
    if named in world.state.users and world.state.users[named].bot_id is None:
        return world.open_direct(named)
    found = world.channel(named)
    if found is None:
        by_name = (each for each in world.state.channels.values() if each.name == named.removeprefix("#") and each.kind != "im")
        found = next((each for each in by_name if not each.deleted), None)
    if found is None:
        raise ApiError("channel_not_found")
    asked.inside(found)
    return found


def post_ephemeral(asked: Asked) -> Json:
    """chat.postEphemeral."""
    channel = asked.channel()
    asked.writable(channel)
    user = asked.need("user")
    if user not in channel.members:
        raise ApiError("user_not_in_channel")
    content = composed(asked)
    draft = Draft(
        asked.world.me,
        content.text or "",
        markdown=content.markdown,
        blocks=content.blocks or [],
        thread=asked.thread(channel),
        ephemeral=user,
    )
    return {"message_ts": asked.world.post(channel, draft).ts}


def update(asked: Asked) -> Json:
    """chat.update. Text without blocks takes the blocks away; blocks alone are no edit that people are told of."""
    message = asked.own("cant_update_message")
    if asked.world.channel(message.channel) is None or asked.world.state.channels[message.channel].archived:
        raise ApiError("is_inactive")
    if asked.world.standing(message) == "streaming":
        raise ApiError("streaming_state_conflict")
    content = composed(asked, updating=True)
    fields: dict[str, Any] = {}
    if content.text is not None:
        fields |= {"text": content.text, "markdown": content.markdown, "blocks": content.blocks or []}
    elif content.blocks is not None:
        fields["blocks"] = content.blocks
    if content.attachments is not None:
        fields["attachments"] = content.attachments
    metadata = asked.metadata()
    if metadata is not None:
        fields["metadata"] = metadata or None
    # What was streamed is replaced, and the message is an ordinary one from here on.
    if message.stream is not None and (content.text is not None or content.blocks is not None):
        fields["stream"] = None
    asked.world.edit(message, edited=not content.blocks, **fields)
    body = message_json(asked.world, message, metadata=True)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": body}


def delete(asked: Asked) -> Json:
    """chat.delete. What still streams cannot be deleted: other apps have seen this answer to it."""
    message = asked.own("cant_delete_message")
    if asked.world.standing(message) == "streaming":
        raise ApiError("cant_delete_message")
    asked.world.delete(message)
    return {"channel": message.channel, "ts": message.ts}
