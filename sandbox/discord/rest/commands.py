"""Application commands: reading and registering them (Discord developer docs, Application Commands: Endpoints)."""

from sandbox.discord.errors import ApiError, invalid
from sandbox.discord.model import Json
from sandbox.discord.rest.asked import Asked
from sandbox.discord.rest.schema import CHAT_INPUT, checked

MOST = {CHAT_INPUT: 100, 2: 15, 3: 15}
"""Commands per scope, by type (Application Commands: Registering a Command)."""
CREATES, DAY = 200, 86_400.0
"""Creates per day and guild (Application Commands: Registering a Command)."""
EVERYWHERE = 0
"""The scope of global commands."""


def every(asked: Asked) -> list[Json]:
    """The commands of a scope."""
    return list(_registered(asked, _scope(asked)).values())


def one(asked: Asked) -> Json:
    """One command. Raises `ApiError` 10063."""
    return _known(asked, _scope(asked))


def overwrite(asked: Asked) -> list[Json]:
    """Make a list the only commands of a scope. One of the same name and type keeps its id, and if it is the same also its
    version (Bulk Overwrite Global Application Commands)."""
    scope = _scope(asked)
    given = [checked(each, f"{index}.", scope == EVERYWHERE) for index, each in enumerate(asked.items)]
    made: list[Json] = []
    for index, command in enumerate(given):
        if any(_same(command, each) for each in made):
            raise invalid(f"{index}.name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        made.append(_kept(asked, scope, command))
    _store(asked, scope, made)
    return made


def create(asked: Asked) -> Json:
    """Add a command, or replace the one of the same name and type."""
    scope = _scope(asked)
    made = _kept(asked, scope, checked(asked.body, "", scope == EVERYWHERE))
    others = [each for each in _registered(asked, scope).values() if each["id"] != made["id"]]
    _store(asked, scope, [*others, made])
    return made


def change(asked: Asked) -> Json:
    """Change what is given of a command; the rest stays."""
    scope = _scope(asked)
    known = _known(asked, scope)
    made = checked(known | asked.body | {"type": known["type"]}, "", scope == EVERYWHERE)
    registered = _registered(asked, scope)
    if any(_same(made, each) and each["id"] != known["id"] for each in registered.values()):
        raise invalid("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
    made = _identified(asked, scope, made, known)
    _store(asked, scope, [made if each["id"] == known["id"] else each for each in registered.values()])
    return made


def remove(asked: Asked) -> None:
    """Remove a command."""
    scope = _scope(asked)
    known = _known(asked, scope)
    _store(asked, scope, [each for each in _registered(asked, scope).values() if each["id"] != known["id"]])


def _scope(asked: Asked) -> int:
    """The guild id of the path, or `EVERYWHERE`."""
    if asked.id("application") != asked.me:
        raise ApiError(20012)
    if "guild" not in asked.path:
        return EVERYWHERE
    guild = asked.world.state.guilds.get(asked.id("guild"))
    if guild is None or asked.me not in guild.members:
        raise ApiError(50001)
    return guild.id


def _registered(asked: Asked, scope: int) -> dict[int, Json]:
    return asked.world.state.commands.get(scope, {})


def _known(asked: Asked, scope: int) -> Json:
    found = _registered(asked, scope).get(asked.id("command"))
    if found is None:
        raise ApiError(10063)
    return found


def _kept(asked: Asked, scope: int, command: Json) -> Json:
    before = next((each for each in _registered(asked, scope).values() if _same(command, each)), None)
    return _identified(asked, scope, command, before)


def _identified(asked: Asked, scope: int, command: Json, before: Json | None) -> Json:
    if before is not None and all(before[name] == value for name, value in command.items()):
        return before
    version = str(asked.world.ids.next())
    number = version if before is None else before["id"]
    whose: Json = {"id": number, "application_id": str(asked.me), "version": version}
    return whose | command | ({} if scope == EVERYWHERE else {"guild_id": str(scope)})


def _store(asked: Asked, scope: int, commands: list[Json]) -> None:
    for kind, most in MOST.items():
        if sum(each["type"] == kind for each in commands) > most:
            raise ApiError(30032)
    registered, now = _registered(asked, scope), asked.world.now()
    created = [now for each in commands if int(each["id"]) not in registered]
    recent = [each for each in asked.world.state.creates.get(scope, []) if now - each < DAY]
    if created and len(recent) + len(created) > CREATES:
        raise ApiError(30034)
    if commands != list(registered.values()):
        asked.world.commit({"op": "commands", "scope": scope, "commands": commands, "created": created})


def _same(one: Json, other: Json) -> bool:
    return (one["name"], one["type"]) == (other["name"], other["type"])
