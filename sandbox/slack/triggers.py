"""Commands and presses: what the app is sent, and what its answer and its response_url show.

docs.slack.dev: Implementing slash commands; Handling user interaction; block_actions payload.
"""

from typing import Any

from sandbox.slack import defaults
from sandbox.slack.blocks import checked
from sandbox.slack.errors import ApiError
from sandbox.slack.model import Channel, Json, Message, Trigger
from sandbox.slack.payloads import message_json
from sandbox.slack.sending import Answered
from sandbox.slack.world import Draft, World

SILENCE = "operation_timeout"
"""What a person reads of a command in whose time nobody answered: `/ask failed with the error "operation_timeout"`."""


def response_url(world: World, trigger: Trigger) -> str:
    """Where answers may be posted without a token."""
    return f"{world.files.base}/responses/{world.team}/{trigger.id}/{trigger.secret}"


def command_payload(world: World, trigger: Trigger) -> Json:
    """The form of a slash command; all values are texts. There is no thread in it."""
    channel = world.state.channels[trigger.channel]
    names = {"channel": channel.name, "group": "privategroup", "im": "directmessage"}
    user = world.state.users[trigger.user]
    return {
        "token": "legacy-verification-token",
        "team_id": world.team,
        "team_domain": defaults.DOMAIN,
        "channel_id": channel.id,
        "channel_name": names[channel.kind],
        "user_id": user.id,
        "user_name": user.name,
        "command": trigger.name,
        "text": trigger.text,
        "api_app_id": defaults.APP,
        "is_enterprise_install": "false",
        "response_url": response_url(world, trigger),
        "trigger_id": trigger.id,
    }


def action_payload(world: World, trigger: Trigger, message: Message, action: Json) -> Json:
    """The block_actions of a press. The message is left out when only one person sees it."""
    channel = world.state.channels[trigger.channel]
    user = world.state.users[trigger.user]
    container: Json = {"type": "message", "message_ts": message.ts, "channel_id": channel.id}
    container["is_ephemeral"] = message.ephemeral is not None
    if message.thread is not None:
        container["thread_ts"] = message.thread
    body: Json = {
        "type": "block_actions",
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": user.team},
        "api_app_id": defaults.APP,
        "token": "legacy-verification-token",
        "container": container,
        "trigger_id": trigger.id,
        "team": {"id": world.team, "domain": defaults.DOMAIN},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": "directmessage" if channel.kind == "im" else channel.name},
        "state": {"values": {}},
        "response_url": response_url(world, trigger),
        "actions": [action | {"action_ts": world.ids.ts()}],
    }
    if message.ephemeral is None:
        body["message"] = message_json(world, message)
    return body


def done(world: World, trigger: Trigger, answered: Answered) -> None:
    """Note what became of the delivery. What comes with the answer to a command is shown at once."""
    world.set_trigger(trigger, outcome="acked" if answered.good else SILENCE)
    if answered.good and trigger.kind == "command" and answered.payload:
        try:
            respond(world, trigger, answered.payload)
        except ApiError as error:
            world.set_trigger(trigger, outcome=error.error)


def use(world: World, trigger: Trigger) -> None:
    """Count one use of a response_url. Raises `ApiError` used_url or expired_url, as its answers are worded."""
    if trigger.over or world.now() - trigger.created >= world.config.response_lifetime:
        raise ApiError("expired_url")
    if trigger.used >= world.config.response_uses:
        raise ApiError("used_url")
    world.set_trigger(trigger, used=trigger.used + 1)


def respond(world: World, trigger: Trigger, body: Json) -> None:
    """Show an answer. Raises `ApiError` no_text, and for blocks that Slack refuses."""
    channel = world.state.channels[trigger.channel]
    original = world.state.messages.get(trigger.message or "")
    if original is not None and body.get("delete_original"):
        world.delete(original)
        return
    text: Any = body.get("text") or ""
    blocks = checked(body["blocks"]) if body.get("blocks") else []
    if not text and not blocks:
        raise ApiError("no_text")
    if original is not None and original.deleted is None and body.get("replace_original"):
        world.edit(original, edited=not blocks, text=str(text), blocks=blocks, markdown=False)
        return
    public = body.get("response_type") == "in_channel"
    world.post(channel, _draft(world, channel, trigger, body, str(text), blocks, public))


def _draft(world: World, channel: Channel, trigger: Trigger, body: Json, text: str, blocks: list[Json], public: bool) -> Draft:
    # Handling user interaction, Publishing responses in thread: only in_channel, and only with a thread_ts.
    thread: Any = body.get("thread_ts") if public else None
    root = world.state.messages.get(str(thread))
    if root is None or root.channel != channel.id:
        thread = None
    return Draft(
        world.me,
        text,
        blocks=blocks,
        thread=thread,
        metadata=body.get("metadata"),
        ephemeral=None if public else trigger.user,
        trigger=trigger.id,
    )
