"""The agent surface (docs.slack.dev: assistant.threads.*, agents.sessions.*)."""

from typing import cast

from sandbox.slack.api.asked import Asked
from sandbox.slack.api.streams import STATUSES
from sandbox.slack.errors import ApiError, invalid_arguments
from sandbox.slack.model import Channel, Json

LOADING = 10
"""loading_messages of a status (assistant.threads.setStatus)."""
PROMPTS = 4
"""Suggested prompts at a time (docs.slack.dev, Developing agents)."""
TITLE = 200
"""Characters of a session's title (agents.sessions.setStatus)."""


def set_status(asked: Asked) -> Json:
    """assistant.threads.setStatus, in any thread; an empty status takes it away."""
    channel = _channel(asked)
    asked.need("thread_ts")
    thread = asked.thread(channel, "invalid_thread_ts")
    if "status" not in asked.arguments:
        raise invalid_arguments("missing required field: status")
    given = asked.parsed("loading_messages", "invalid_arguments")
    messages = cast("list[object]", given) if isinstance(given, list) else []
    if len(messages) > LOADING or (given and not messages):
        raise invalid_arguments(f"a list of no more than {LOADING} items [json-pointer:/loading_messages]")
    loading = tuple(str(each) for each in messages)
    asked.world.set_status(channel.id, thread or "", asked.text("status") or "", loading)
    return {}


def set_prompts(asked: Asked) -> Json:
    """assistant.threads.setSuggestedPrompts. With a thread_ts it does nothing: so it is in agent view."""
    channel = _channel(asked)
    if not asked.api.granted.agent:
        raise ApiError("not_agent_app")
    given = asked.parsed("prompts", "invalid_arguments")
    prompts = cast("list[object]", given) if isinstance(given, list) else []
    good = [cast("Json", each) for each in prompts if isinstance(each, dict) and {"title", "message"} <= set(cast("Json", each))]
    if not 0 < len(prompts) <= PROMPTS or len(good) != len(prompts):
        raise invalid_arguments(f"1 to {PROMPTS} items with title and message [json-pointer:/prompts]")
    if asked.thread(channel, "invalid_thread_ts") is None:
        change: Json = {"op": "prompts", "channel": channel.id, "title": asked.text("title") or "", "prompts": good}
        asked.world.commit(change, channel=channel.id)
    return {}


def set_title(asked: Asked) -> Json:
    """assistant.threads.setTitle: the title of a thread of an agent's direct chat, which here is its session's."""
    channel = _channel(asked)
    if channel.kind != "im" or not asked.api.granted.agent:
        raise ApiError("method_not_supported_for_channel_type")
    thread = asked.thread(channel, "invalid_thread_ts") or asked.need("thread_ts")
    title = asked.need("title")
    session = asked.world.state.sessions.get((channel.id, thread))
    if session is None:
        asked.world.set_session(channel.id, thread, "active", title)
    else:
        asked.world.rename_session(session, title)
    return {}


def set_session(asked: Asked) -> Json:
    """agents.sessions.setStatus: creates the session when there is none."""
    if not asked.api.granted.agent:
        raise ApiError("not_agent_app")
    if not asked.api.granted.agent_sessions:
        raise ApiError("feature_disabled")
    channel = _channel(asked)
    status = asked.need("status")
    if status not in STATUSES:
        raise ApiError("invalid_status")
    if not asked.text("thread_ts"):
        raise ApiError("thread_ts_required")
    thread = asked.thread(channel, "invalid_thread_ts") or ""
    title, initiator = asked.text("title") or "", asked.text("initiator_user_id")
    if len(title) > TITLE:
        raise invalid_arguments(f"must be less than {TITLE + 1} characters [json-pointer:/title]")
    if initiator and initiator not in asked.world.state.users:
        raise ApiError("user_not_found")
    session = asked.world.set_session(channel.id, thread, status, title, initiator)
    body: Json = {"status": session.status, "agent_status": session.status, "title": session.title}
    if "agent_session_stopped" not in asked.api.granted.subscriptions:
        warning = "missing_agent_session_stopped_event_subscription"
        body |= {"warning": warning, "response_metadata": {"warnings": [warning]}}
    return body


def rename(asked: Asked) -> Json:
    """agents.sessions.rename."""
    channel = _channel(asked)
    thread = asked.thread(channel, "invalid_thread_ts") or ""
    title = asked.need("title")
    if len(title) > TITLE:
        raise invalid_arguments(f"must be less than {TITLE + 1} characters [json-pointer:/title]")
    session = asked.world.state.sessions.get((channel.id, thread))
    if session is None:
        raise ApiError("not_authorized")
    asked.world.rename_session(session, title)
    return {"title": title}


def _channel(asked: Asked) -> Channel:
    return asked.channel("channel_id", member="channel_not_found")
