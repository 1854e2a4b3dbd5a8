"""What the handlers of the Web API share: the call as they see it, and the checks that come first."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from sandbox.slack.config import SimulatorConfig
from sandbox.slack.errors import ApiError, invalid_arguments
from sandbox.slack.ids import ts_number
from sandbox.slack.model import Channel, Json, Message
from sandbox.slack.world import World


@dataclass(slots=True)
class Granted:
    """What the app and its workspace have; the control API changes it."""

    token: str
    app_token: str
    scopes: frozenset[str]
    subscriptions: frozenset[str]
    agent: bool
    agent_sessions: bool
    streaming: bool
    messages_tab: bool
    home_tab: bool


@dataclass(frozen=True, slots=True)
class Api:
    """What every handler may use."""

    world: World
    config: SimulatorConfig
    granted: Granted
    ticket: Callable[[], str]
    """Makes the address of a Socket Mode connection."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, already authorised and counted in its windows."""

    api: Api
    arguments: Json
    """From the query, a form or a JSON body: methods take any of them (docs.slack.dev, Web API: Request formats)."""

    @property
    def world(self) -> World:
        """The world."""
        return self.api.world

    def text(self, name: str) -> str | None:
        """A string, or None. Raises `ApiError` invalid_arguments for something else."""
        value: object = self.arguments.get(name)
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        raise invalid_arguments(f"must be a string [json-pointer:/{name}]")

    def need(self, name: str) -> str:
        """A string that has to be there. Raises `ApiError` invalid_arguments."""
        value = self.text(name)
        if not value:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str) -> bool:
        """A truth value, also as the `1` and `true` of a query."""
        return self.arguments.get(name) in (True, 1, "1", "true", "True")

    def number(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number. Raises `ApiError` invalid_limit when it is none or too small; a greater one is cut down."""
        value = self.text(name)
        if not value:
            return default
        if not value.isdigit() or int(value) < low:
            raise ApiError("invalid_limit")
        return min(int(value), high)

    def parsed(self, name: str, error: str) -> object:
        """A list or object, also as JSON text. Raises `ApiError` with `error` when the text is no JSON."""
        value: object = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as problem:
            raise ApiError(error) from problem

    def ts(self, name: str, error: str) -> str | None:
        """A ts, or None. Raises `ApiError` with `error` when it is none."""
        value = self.text(name)
        if not value:
            return None
        try:
            ts_number(value)
        except ValueError as problem:
            raise ApiError(error) from problem
        return value

    def scope(self, *needed: str) -> None:
        """Raise `ApiError` missing_scope unless the token has one of these."""
        granted = self.api.granted.scopes
        if not granted.intersection(needed):
            raise ApiError("missing_scope", needed=needed[0], provided=",".join(sorted(granted)))

    def channel(self, name: str = "channel", *, member: str = "not_in_channel") -> Channel:
        """A channel that the bot is in. A private one of others does not exist for it.

        Raises `ApiError` channel_not_found, or `member` for a public channel that the bot is not in.
        """
        channel = self.world.channel(self.need(name))
        if channel is None:
            raise ApiError("channel_not_found")
        self.inside(channel, member)
        return channel

    def inside(self, channel: Channel, member: str = "not_in_channel") -> None:
        """Raise `ApiError` unless the bot is in a channel."""
        if self.world.me not in channel.members:
            raise ApiError(member if channel.kind == "channel" else "channel_not_found")

    def writable(self, channel: Channel) -> None:
        """Raise `ApiError` when nothing may be written in a channel."""
        if channel.archived:
            raise ApiError("is_archived")
        if channel.read_only:
            raise ApiError("restricted_action_read_only_channel")
        if channel.kind == "im" and not self.api.granted.messages_tab:
            raise ApiError("messages_tab_disabled")

    def thread(self, channel: Channel, error: str = "thread_not_found") -> str | None:
        """The root that `thread_ts` names, also a deleted one; None when there is none.

        Raises `ApiError`: invalid_thread_ts for what is no ts, `error` for one of no message here, and
        cannot_reply_to_message for a reply's own: Slack only says "avoid using a reply's ts" and loses such messages.
        """
        ts = self.ts("thread_ts", "invalid_thread_ts")
        if ts is None:
            return None
        root = self.world.state.messages.get(ts)
        if root is None or root.channel != channel.id or root.ephemeral is not None:
            raise ApiError(error)
        if root.thread is not None:
            raise ApiError("cannot_reply_to_message")
        return ts

    def own(self, error: str) -> Message:
        """The bot's message that `channel` and `ts` name. Raises `ApiError` message_not_found, or `error` for another's."""
        channel = self.channel()
        message = self.world.message(channel.id, self.need("ts"))
        if message is None:
            raise ApiError("message_not_found")
        if message.user != self.world.me:
            raise ApiError(error)
        return message

    def metadata(self) -> Json | None:
        """The metadata; None when absent, empty to take it away.

        Raises `ApiError` invalid_metadata_format, or invalid_metadata_schema without a type or payload
        (docs.slack.dev, Message metadata).
        """
        given = self.parsed("metadata", "invalid_metadata_format")
        if given is None:
            return None
        if not isinstance(given, dict):
            raise ApiError("invalid_metadata_format")
        metadata = cast("Json", given)
        if metadata and not (isinstance(metadata.get("event_type"), str) and isinstance(metadata.get("event_payload"), dict)):
            raise ApiError("invalid_metadata_schema")
        return metadata


Handler = Callable[[Asked], Json]
Limit = Literal["tier1", "tier2", "tier3", "tier4", "special", "post"]


@dataclass(frozen=True, slots=True)
class Method:
    """One method. `scopes`: any of them is enough; none means that every token will do."""

    handler: Handler
    limit: Limit
    scopes: tuple[str, ...] = ()
    app: bool = False
    """Takes the app-level token instead of the bot's."""


def merged(query: Mapping[str, str], form: Mapping[str, Any], body: Json) -> Json:
    """The arguments of a call, wherever they came."""
    return {**query, **form, **body}
