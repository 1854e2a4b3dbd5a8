"""Answers to interactions: the callback, the original message and the followups.

Discord developer docs, Receiving and Responding: Endpoints. The token in the path is the only authorization.
"""

from collections.abc import Callable
from typing import cast

from sandbox.discord import interactions
from sandbox.discord.errors import ApiError, invalid
from sandbox.discord.model import (
    AUTOCOMPLETE,
    COMMAND,
    COMMAND_ANSWER,
    COMPONENT,
    EPHEMERAL,
    LOADING,
    REPLY,
    Channel,
    Interaction,
    Json,
    Message,
)
from sandbox.discord.payloads import message_json
from sandbox.discord.rest.asked import Asked, flags_of, list_of, object_of, text_of
from sandbox.discord.rest.messages import reference_json
from sandbox.discord.rest.writing import composed, revised
from sandbox.discord.world import Draft

MESSAGE, THINKING, LATER, UPDATE, CHOICES = 4, 5, 6, 7, 8
"""Interaction callback types."""
_ANSWERS = {COMMAND: (MESSAGE, THINKING), COMPONENT: (MESSAGE, THINKING, LATER, UPDATE), AUTOCOMPLETE: (CHOICES,)}
MOST_CHOICES = 25


def callback(asked: Asked) -> Json | None:
    """The first answer. Raises `ApiError` 10062 when it is too late and 40060 when there was one."""
    world = asked.world
    interaction = world.state.interactions.get(asked.id("interaction"))
    if interaction is None or interaction.token != asked.path["token"]:
        raise ApiError(10062)
    if interaction.answered is not None:
        raise ApiError(40060)
    if not interactions.open_for_answer(world, interaction):
        raise ApiError(10062)
    kind: object = asked.body.get("type")
    if kind not in _ANSWERS[interaction.type]:
        raise invalid("type", "BASE_TYPE_CHOICES", f"Value must be one of {_ANSWERS[interaction.type]}.")
    kind = cast("int", kind)
    message = _DO[kind](asked, interaction, object_of(asked.body, "data") or {})
    if asked.query.get("with_response", "").lower() not in ("1", "true"):
        return None
    return _told(asked, interaction, kind, message)


def _told(asked: Asked, interaction: Interaction, kind: int, message: Message | None) -> Json:
    """The interaction callback response object."""
    told: Json = {"id": str(interaction.id), "type": interaction.type}
    if message is None:
        return {"interaction": told}
    told["response_message_id"] = str(message.id)
    told["response_message_loading"] = bool(message.flags & LOADING)
    told["response_message_ephemeral"] = message.ephemeral is not None
    resource: Json = {"type": kind}
    if kind in (MESSAGE, UPDATE):
        # Only these two carry it (Interaction Callback Resource Object).
        resource["message"] = message_json(asked.world, message)
    return {"interaction": told, "resource": resource}


def _message(asked: Asked, interaction: Interaction, data: Json) -> Message:
    channel = _channel(asked, interaction)
    return _first(asked, interaction, MESSAGE, composed(asked, data, channel), flags_of(data) or 0)


def _thinking(asked: Asked, interaction: Interaction, data: Json) -> Message:
    return _first(asked, interaction, THINKING, Draft(asked.me, "", flags=LOADING), flags_of(data) or 0)


def _first(asked: Asked, interaction: Interaction, kind: int, draft: Draft, flags: int) -> Message:
    if interaction.type == COMMAND:
        draft.type = COMMAND_ANSWER
    else:
        draft.type, draft.reference = REPLY, _refer(asked, interaction, interaction.message)
    message = _post(asked, interaction, draft, flags)
    interactions.answer(asked.world, interaction, kind, original=message)
    return message


def _later(asked: Asked, interaction: Interaction, data: Json) -> Message:
    message = _pressed_on(asked, interaction)
    interactions.answer(asked.world, interaction, LATER, original=message)
    return message


def _update(asked: Asked, interaction: Interaction, data: Json) -> Message:
    message = _pressed_on(asked, interaction)
    revised(asked, data, _channel(asked, interaction), message)
    interactions.answer(asked.world, interaction, UPDATE, original=message)
    return message


def _choices(asked: Asked, interaction: Interaction, data: Json) -> None:
    choices = cast("list[Json]", list_of(data, "choices") or [])
    if len(choices) > MOST_CHOICES:
        raise invalid("data.choices", "BASE_TYPE_MAX_LENGTH", f"Must be {MOST_CHOICES} or fewer in length.")
    for index, choice in enumerate(choices):
        text_of(choice, "name", 1, 100, f"data.choices.{index}.name")
        if isinstance(choice.get("value"), str):
            text_of(choice, "value", 1, 100, f"data.choices.{index}.value")
    interactions.answer(asked.world, interaction, CHOICES, choices=choices)


_DO: dict[int, Callable[[Asked, Interaction, Json], Message | None]] = {
    MESSAGE: _message,
    THINKING: _thinking,
    LATER: _later,
    UPDATE: _update,
    CHOICES: _choices,
}


# with the token, for 15 minutes


def follow(asked: Asked) -> Json:
    """Write one more message. Directly after THINKING it fills the loading message (Create Followup Message)."""
    world, interaction = asked.world, _by_token(asked)
    channel = _channel(asked, interaction)
    original = world.state.messages.get(interaction.original or 0)
    if original is not None and original.flags & LOADING and original.deleted is None:
        revised(asked, asked.body, channel, original, clear=LOADING)
        return message_json(world, original)
    draft = composed(asked, asked.body, channel)
    draft.type, draft.reference = REPLY, _refer(asked, interaction, interaction.original)
    return message_json(world, _post(asked, interaction, draft, flags_of(asked.body) or 0))


def get(asked: Asked) -> Json:
    """One message of this interaction."""
    return message_json(asked.world, _own(asked, _by_token(asked)))


def edit(asked: Asked) -> Json:
    """Edit a message of this interaction. The first edit ends the loading state."""
    interaction = _by_token(asked)
    message = _own(asked, interaction)
    revised(asked, asked.body, _channel(asked, interaction), message, clear=LOADING)
    return message_json(asked.world, message)


def delete(asked: Asked) -> None:
    """Delete a message of this interaction."""
    asked.world.delete(_own(asked, _by_token(asked)))


def _by_token(asked: Asked) -> Interaction:
    """Raises `ApiError` 10015 before there was a first answer, and 50027 for an unknown or expired token."""
    if asked.id("application") != asked.me:
        raise ApiError(10015)
    token = asked.path["token"]
    found = next((each for each in asked.world.state.interactions.values() if each.token == token), None)
    if found is None or not interactions.token_good(asked.world, found):
        raise ApiError(50027)
    if found.answered is None:
        raise ApiError(10015)
    return found


def _own(asked: Asked, interaction: Interaction) -> Message:
    named = asked.path.get("message")
    wanted = interaction.original if named is None else asked.id("message")
    message = asked.world.state.messages.get(wanted or 0)
    if message is None or message.deleted is not None:
        raise ApiError(10008)
    if message.interaction != interaction.id and message.id != interaction.original:
        raise ApiError(10008)
    return message


def _post(asked: Asked, interaction: Interaction, draft: Draft, flags: int) -> Message:
    draft.interaction = interaction.id
    if flags & EPHEMERAL:
        draft.flags |= EPHEMERAL
        draft.ephemeral = interaction.user
    return asked.world.post(_channel(asked, interaction), draft)


def _pressed_on(asked: Asked, interaction: Interaction) -> Message:
    message = asked.world.state.messages.get(interaction.message or 0)
    if message is None or message.deleted is not None:
        raise ApiError(10008)
    return message


def _refer(asked: Asked, interaction: Interaction, message: int | None) -> Json | None:
    return None if message is None else reference_json(_channel(asked, interaction), message)


def _channel(asked: Asked, interaction: Interaction) -> Channel:
    channel = asked.world.channel(interaction.channel)
    if channel is None:
        raise ApiError(10003)
    return channel
