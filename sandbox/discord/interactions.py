"""Interactions: how they begin, what the gateway tells of them, and how long they may be answered.

Discord developer docs, Receiving and Responding.
"""

import secrets

from sandbox.discord.model import COMPONENT, DIRECT, LOADING, Channel, Interaction, Json, Message, Permission
from sandbox.discord.payloads import channel_json, member_json, message_json, owners_json, user_json
from sandbox.discord.world import World

SILENCE = "The application did not respond"
"""What a person reads when nothing came in time."""
_DIRECT_PERMISSIONS = Permission.ATTACH_FILES | Permission.EMBED_LINKS | Permission.MENTION_EVERYONE | 1 << 18
"""In a direct chat with the bot; the last bit is USE_EXTERNAL_EMOJIS (Interaction Structure, app_permissions)."""


def begin(
    world: World, kind: int, user: int, channel: Channel, name: str, data: Json, message: Message | None = None
) -> Interaction:
    """Begin an interaction. The gateway tells the bot of it."""
    number = world.ids.next()
    change: Json = {"op": "interaction", "id": number, "type": kind, "user": user, "channel": channel.id, "name": name}
    change |= {"token": secrets.token_urlsafe(32), "data": data, "created": world.now()}
    change["message"] = None if message is None else message.id
    world.commit(change, channel=channel.id)
    return world.state.interactions[number]


def answer(
    world: World, interaction: Interaction, kind: int, *, original: Message | None = None, choices: list[Json] | None = None
) -> None:
    """Note the first answer."""
    change: Json = {"op": "answered", "interaction": interaction.id, "type": kind, "choices": choices}
    change["original"] = None if original is None else original.id
    world.commit(change, channel=interaction.channel)


def open_for_answer(world: World, interaction: Interaction) -> bool:
    """Whether the first answer may still come."""
    return world.now() - interaction.created < world.config.interaction_window


def token_good(world: World, interaction: Interaction) -> bool:
    """Whether the token has not expired."""
    return world.now() - interaction.created < world.config.interaction_lifetime


def silent(world: World, interaction: Interaction) -> bool:
    """Whether the person reads that the bot did not respond: no answer in time, or thinking until the token expired."""
    if interaction.answered is None:
        return not open_for_answer(world, interaction)
    original = world.state.messages.get(interaction.original or 0)
    return original is not None and bool(original.flags & LOADING) and not token_good(world, interaction)


def payload(world: World, interaction: Interaction) -> Json:
    """The interaction object that the gateway sends."""
    state = world.state
    channel = state.channels[interaction.channel]
    guild = world.guild_of(channel)
    user = user_json(state.users[interaction.user])
    may = world.may(channel, world.me)
    body: Json = {
        "id": str(interaction.id),
        "application_id": str(world.me),
        "type": interaction.type,
        "token": interaction.token,
        "version": 1,
        "data": _addressed(world, interaction),
        "channel_id": str(channel.id),
        "channel": channel_json(world, channel) | {"permissions": str(world.may(channel, interaction.user))},
        "app_permissions": str(int(_DIRECT_PERMISSIONS) if channel.type == DIRECT else may),
        "locale": "en-US",
        "entitlements": [],
        "entitlement_sku_ids": [],
        "authorizing_integration_owners": owners_json(world, interaction),
        "context": 1 if guild is None else 0,
        "attachment_size_limit": world.config.file_limit,
    }
    if guild is None:
        body["user"] = user
    else:
        body |= {"guild_id": str(guild.id), "guild_locale": "en-US"}
        body["guild"] = {"id": str(guild.id), "locale": "en-US", "features": []}
        body["member"] = member_json(guild, interaction.user) | {
            "user": user,
            "permissions": str(world.may(channel, interaction.user)),
        }
    if interaction.type == COMPONENT and interaction.message is not None:
        body["message"] = message_json(world, state.messages[interaction.message])
    return body


def _addressed(world: World, interaction: Interaction) -> Json:
    resolved: Json = interaction.data.get("resolved", {})
    if "attachments" not in resolved:
        return interaction.data
    files = {
        number: world.files.addressed(interaction.channel, each) | {"ephemeral": True}
        for number, each in resolved["attachments"].items()
    }
    return interaction.data | {"resolved": resolved | {"attachments": files}}


def interaction_view(world: World, interaction: Interaction) -> Json:
    """An interaction as tests and terminals read it. `shown` is what the person reads in place of an answer."""
    original = world.state.messages.get(interaction.original or 0)
    shown = None
    if silent(world, interaction):
        shown = SILENCE
    elif original is not None and original.flags & LOADING:
        shown = "thinking"
    return {
        "id": str(interaction.id),
        "type": interaction.type,
        "user": world.state.users[interaction.user].name,
        "channel": str(interaction.channel),
        "name": interaction.name,
        "created": interaction.created,
        "answered": interaction.answered,
        "message": None if interaction.original is None else str(interaction.original),
        "shown": shown,
        "choices": interaction.choices,
    }
