"""Who is who, reactions, and views (docs.slack.dev: auth.test, apps.connections.open, users.info, reactions.*, views.publish)."""

import json
import re
from typing import cast

from sandbox.slack import defaults
from sandbox.slack.api.asked import Asked
from sandbox.slack.blocks import checked
from sandbox.slack.errors import ApiError, invalid_arguments
from sandbox.slack.model import Json, Message
from sandbox.slack.payloads import user_json

_EMOJI = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")
EMOJI = 23
"""Reactions that one user may add to a message (slack.com/help, Use emoji and reactions)."""
VIEW = 250_000
"""Bytes of a view (views.publish: view_too_large)."""


def test(asked: Asked) -> Json:
    """api.test."""
    error = asked.text("error")
    if error:
        raise ApiError(error, args=asked.arguments)
    return {"args": {name: value for name, value in asked.arguments.items() if name != "token"}}


def auth_test(asked: Asked) -> Json:
    """auth.test."""
    return {
        "url": f"https://{defaults.DOMAIN}.slack.com/",
        "team": defaults.TEAM_NAME,
        "user": asked.world.state.users[asked.world.me].name,
        "team_id": asked.world.team,
        "user_id": asked.world.me,
        "bot_id": defaults.BOT_ID,
        "is_enterprise_install": False,
    }


def connections_open(asked: Asked) -> Json:
    """apps.connections.open."""
    return {"url": asked.api.ticket()}


def info(asked: Asked) -> Json:
    """users.info."""
    user = asked.world.state.users.get(asked.need("user"))
    if user is None:
        raise ApiError("user_not_found")
    return {"user": user_json(user)}


def react(asked: Asked) -> Json:
    """reactions.add."""
    message, name = _reacted(asked)
    own = sum(asked.world.me in users for users in message.reactions.values())
    if own >= EMOJI:
        raise ApiError("too_many_reactions")
    if not asked.world.react(message, name, asked.world.me, added=True):
        raise ApiError("already_reacted")
    return {}


def unreact(asked: Asked) -> Json:
    """reactions.remove."""
    message, name = _reacted(asked)
    if not asked.world.react(message, name, asked.world.me, added=False):
        raise ApiError("no_reaction")
    return {}


def _reacted(asked: Asked) -> tuple[Message, str]:
    channel = asked.channel()
    if channel.archived:
        raise ApiError("is_archived")
    message = asked.world.message(channel.id, asked.ts("timestamp", "bad_timestamp") or asked.need("timestamp"))
    if message is None:
        raise ApiError("message_not_found")
    name = asked.need("name")
    if not _EMOJI.fullmatch(name):
        raise ApiError("invalid_name")
    return message, name


def publish(asked: Asked) -> Json:
    """views.publish."""
    user = asked.need("user_id")
    given = asked.parsed("view", "invalid_arguments")
    if not isinstance(given, dict):
        raise invalid_arguments("missing required field: view")
    view = cast("Json", given)
    if user not in asked.world.state.users:
        raise ApiError("user_not_found")
    if view.get("type") != "home" or not isinstance(view.get("blocks"), list):
        raise invalid_arguments("must be a home view with blocks [json-pointer:/view]")
    if not asked.api.granted.home_tab:
        raise ApiError("not_enabled")
    if len(json.dumps(view)) > VIEW:
        raise ApiError("view_too_large")
    number = asked.world.ids.next("V")
    made = view | {"id": number, "blocks": checked(view["blocks"]), "team_id": asked.world.team, "app_id": defaults.APP}
    asked.world.commit({"op": "home", "user": user, "view": made})
    return {"view": made}
