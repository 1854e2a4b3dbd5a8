"""What a person fills into a command, checked as Discord's own clients check it before anything is sent."""

from collections.abc import Callable, Mapping
from typing import Any, cast

from sandbox.discord import lookup
from sandbox.discord.model import Channel, Json
from sandbox.discord.payloads import channel_json, member_json, role_json, user_json
from sandbox.discord.rest.schema import (
    ATTACHMENT,
    BOOLEAN,
    CHANNEL,
    GROUP,
    INTEGER,
    MENTIONABLE,
    NUMBER,
    PERSON,
    ROLE,
    STRING,
    SUBCOMMAND,
)
from sandbox.discord.world import World

Attach = Callable[[Json], Json]


class Wrong(ValueError):
    """A person filled something in that the command does not take. The text is what they are told."""


def command(world: World, user: int, channel: Channel, named: str) -> Json:
    """The command that a person may call in a channel by its first word: the guild's own, else a global one.

    Raises `Wrong` when there is none, or not for this person or here.
    """
    guild = world.guild_of(channel)
    here = guild is None or world.me in guild.members
    scopes = [0] if guild is None else [guild.id, 0]
    for scope in scopes if here else []:
        for each in world.state.commands.get(scope, {}).values():
            if each["name"] == named and each["type"] == 1 and _offered(world, user, channel, each):
                return each
    raise Wrong(f"there is no command /{named} here")


def commands(world: World, user: int, channel: Channel) -> list[Json]:
    """The commands that a person is offered in a channel, by name."""
    names = sorted({each["name"] for scope in world.state.commands.values() for each in scope.values() if each["type"] == 1})
    found: list[Json] = []
    for name in names:
        try:
            found.append(command(world, user, channel, name))
        except Wrong:
            continue
    return found


def _offered(world: World, user: int, channel: Channel, command: Json) -> bool:
    direct = channel.guild is None
    contexts = command.get("contexts")
    if contexts is not None and (1 if direct else 0) not in contexts:
        return False
    if direct:
        return bool(command.get("dm_permission", True))
    needed = command["default_member_permissions"]
    return needed is None or int(needed) & ~world.may(channel, user) == 0


def chosen(
    world: World, channel: Channel, command: Json, path: list[str], given: Mapping[str, Any], attach: Attach
) -> tuple[list[Json], Json]:
    """The options and the resolved data of an interaction. `path` are the words after the command's name: sub-commands.

    Raises `Wrong`.
    """
    resolved: Json = {}
    return _level(command, path, lambda known: _values(world, channel, known, given, resolved, attach)), resolved


def typed(command: Json, path: list[str], option: str, value: Any, given: Mapping[str, Any]) -> list[Json]:
    """The options of a question for choices: nothing is checked and nothing resolved. Raises `Wrong`."""

    def filled(known: list[Json]) -> list[Json]:
        found = next((each for each in known if each["name"] == option), None)
        if found is None or not found.get("autocomplete"):
            raise Wrong(f"{option} offers no choices")
        others = [_plain(each, given[each["name"]]) for each in known if each["name"] in given and each["name"] != option]
        return [*others, _plain(found, value) | {"focused": True}]

    return _level(command, path, filled)


def _plain(option: Json, value: Any) -> Json:
    return {"name": option["name"], "type": option["type"], "value": value}


def _level(part: Json, path: list[str], fill: Callable[[list[Json]], list[Json]]) -> list[Json]:
    known: list[Json] = part.get("options", [])
    below = any(each["type"] in (SUBCOMMAND, GROUP) for each in known)
    if not path and not below:
        return fill(known)
    found = next((each for each in known if below and path and each["name"] == path[0]), None)
    if found is None:
        names = ", ".join(each["name"] for each in known) if below else "nothing"
        raise Wrong(f"after {part['name']} comes {names}")
    return [{"name": found["name"], "type": found["type"], "options": _level(found, path[1:], fill)}]


def _values(
    world: World, channel: Channel, known: list[Json], given: Mapping[str, Any], resolved: Json, attach: Attach
) -> list[Json]:
    unknown = set(given) - {each["name"] for each in known}
    if unknown:
        raise Wrong(f"there is no option {', '.join(sorted(unknown))}")
    missing = [each["name"] for each in known if each.get("required") and each["name"] not in given]
    if missing:
        raise Wrong(f"{', '.join(missing)} must be filled in")
    made: list[Json] = []
    for option in known:
        if option["name"] in given:
            value = _value(world, channel, option, given[option["name"]], resolved, attach)
            made.append({"name": option["name"], "type": option["type"], "value": value})
    return made


def _value(world: World, channel: Channel, option: Json, value: Any, resolved: Json, attach: Attach) -> Any:
    kind, name = option["type"], option["name"]
    if kind == ATTACHMENT:
        if not isinstance(value, dict):
            raise Wrong(f"{name} must be a file")
        file = attach(cast("Json", value))
        resolved.setdefault("attachments", {})[file["id"]] = file
        return file["id"]
    if kind in (PERSON, CHANNEL, ROLE, MENTIONABLE):
        return _resolved(world, channel, kind, str(value), resolved)
    wanted = {STRING: str, INTEGER: int, BOOLEAN: bool, NUMBER: int | float}[kind]
    if not isinstance(value, wanted) or (kind != BOOLEAN and isinstance(value, bool)):
        raise Wrong(f"{name} must be {('text', 'a whole number', 'true or false')[kind - STRING] if kind < 6 else 'a number'}")
    choices = option.get("choices")
    if choices and value not in [each["value"] for each in choices]:
        raise Wrong(f"{name} must be one of {', '.join(str(each['value']) for each in choices)}")
    size = len(value) if isinstance(value, str) else value
    measure = "length" if kind == STRING else "value"
    low, high = option.get(f"min_{measure}"), option.get(f"max_{measure}")
    if kind == STRING and not size:
        raise Wrong(f"{name} must not be empty")
    if (low is not None and size < low) or (high is not None and size > high):
        unit = " characters" if kind == STRING else ""
        raise Wrong(f"{name} has {size}{unit}; allowed are {low or 0} to {high if high is not None else 'any'}")
    if kind == STRING and high is None and size > LONGEST:
        raise Wrong(f"{name} has {size} characters; allowed are {LONGEST}")
    return value


LONGEST = 6000
"""Characters of a text without a `max_length` of its own (Application Command Option Structure)."""


def _resolved(world: World, channel: Channel, kind: int, named: str, resolved: Json) -> str:
    guild = world.guild_of(channel)
    if kind == CHANNEL:
        found = lookup.channel(world, named)
        resolved.setdefault("channels", {})[str(found.id)] = channel_json(world, found) | {"permissions": "0"}
        return str(found.id)
    if guild is not None and (kind == ROLE or named.startswith("&")):
        for role in guild.roles.values():
            if named.removeprefix("&") in (role.name, str(role.id)):
                resolved.setdefault("roles", {})[str(role.id)] = role_json(role)
                return str(role.id)
        raise Wrong(f"there is no role {named}")
    person = lookup.user(world, named)
    resolved.setdefault("users", {})[str(person.id)] = user_json(person)
    if guild is not None and person.id in guild.members:
        resolved.setdefault("members", {})[str(person.id)] = member_json(guild, person.id) | {
            "permissions": str(world.may(channel, person.id))
        }
    return str(person.id)
