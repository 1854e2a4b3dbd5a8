"""What the handlers of the REST routes share: the call as they see it, and the checks that come first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sandbox.discord.config import SimulatorConfig
from sandbox.discord.errors import ApiError, bad_length, invalid
from sandbox.discord.model import Channel, Json, Permission
from sandbox.discord.world import World
from sandbox.windows import Window


@dataclass(frozen=True, slots=True)
class Api:
    """What every handler may use."""

    world: World
    config: SimulatorConfig
    old_edits: dict[int, Window]
    """Per channel, the edits of messages that are older than an hour."""
    gateway_url: Callable[[], str]
    message_content: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Upload:
    """One file that came with a call. `number` is what the attachments of the body name it by."""

    number: int
    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Came:
    """What a call brought. `items` when its body was a list, which only a few routes take."""

    body: Json
    files: list[Upload]
    items: list[Any] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, already authorised and counted in its bucket."""

    api: Api
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    files: list[Upload]
    """The files that came with a multipart body."""
    items: list[Any]
    """The body of a route that takes a list."""

    @property
    def world(self) -> World:
        """The world."""
        return self.api.world

    @property
    def me(self) -> int:
        """The bot's own user id."""
        return self.api.world.me

    def id(self, name: str) -> int:
        """A snowflake of the path."""
        return snowflake(self.path[name], name)

    def number(self, name: str, low: int, high: int, default: int) -> int:
        """A whole number of the query. Raises `ApiError` 50035 outside of the range."""
        text = self.query.get(name)
        if text is None:
            return default
        if not text.isdigit() or not low <= int(text) <= high:
            raise invalid(name, "NUMBER_TYPE_MAX", f"int value should be between {low} and {high}.")
        return int(text)

    def anchor(self, name: str) -> int | None:
        """A snowflake of the query, if given."""
        text = self.query.get(name)
        return None if text is None else snowflake(text, name)

    def channel(self, name: str = "channel") -> Channel:
        """The channel of the path, which the bot can see. Raises `ApiError` 10003 or 50001."""
        channel = self.world.channel(self.id(name))
        if channel is None:
            raise ApiError(10003)
        if not self.world.may(channel, self.me) & Permission.VIEW_CHANNEL:
            raise ApiError(50001)
        return channel

    def need(self, channel: Channel, permission: Permission) -> None:
        """Raise `ApiError` 50013 when the bot lacks the permission."""
        if not self.has(channel, permission):
            raise ApiError(50013)

    def has(self, channel: Channel, permission: Permission) -> bool:
        """Whether the bot has the permission."""
        return bool(self.world.may(channel, self.me) & permission)


@dataclass(frozen=True, slots=True)
class Route:
    """One route. Calls of the same `group` and, if named, the same `resource` share a bucket."""

    method: str
    path: str
    group: str
    resource: str | None
    limit: tuple[int, float]
    handler: Callable[[Asked], Any]
    status: int = 200
    listed: bool = False
    """Takes a list as body."""
    free: bool = False
    """Needs no bot token, for the path has one, and is not counted in the overall limit."""


def snowflake(text: str, field: str) -> int:
    """Read an id. Raises `ApiError` 50035 as Discord does for anything else."""
    if text.isascii() and text.isdigit() and len(text) <= 20:
        return int(text)
    raise invalid(field, "NUMBER_TYPE_COERCE", f'Value "{text}" is not snowflake.')


def text_of(body: Json, field: str, low: int, high: int, called: str | None = None) -> str | None:
    """A string of the body, counted in code points; None when absent or null. `called` names the field in an error."""
    value: object = body.get(field)
    field = called or field
    if value is None:
        return None
    if not isinstance(value, str):
        raise invalid(field, "STRING_TYPE_CONVERT", "Could not interpret value as string.")
    if not low <= len(value) <= high:
        raise bad_length(field, low, high)
    return value


def object_of(body: Json, field: str) -> Json | None:
    """An object of the body; None when absent or null."""
    value: object = body.get(field)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid(field, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    return cast("Json", value)


def list_of(body: Json, field: str) -> list[Any] | None:
    """A list of the body; None when absent or null."""
    value: object = body.get(field)
    if value is None:
        return None
    if not isinstance(value, list):
        raise invalid(field, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    return cast("list[Any]", value)


def flags_of(body: Json) -> int | None:
    """The flags of the body; None when absent or null."""
    value: object = body.get("flags")
    if value is None:
        return None
    if not isinstance(value, int):
        raise invalid("flags", "NUMBER_TYPE_COERCE", f'Value "{value}" is not int.')
    return value
