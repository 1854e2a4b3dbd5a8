"""The menu of commands, by scope and language (core.telegram.org/bots/api, BotCommandScope)."""

import re
from typing import cast

from sandbox.telegram.api.asked import Asked
from sandbox.telegram.errors import bad
from sandbox.telegram.model import Chat, Json
from sandbox.telegram.world import World

_WHOLE = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
_OF_CHAT = ("chat", "chat_administrators", "chat_member")
MOST = 100


def key(scope: str, language: str = "", chat: int = 0, user: int = 0) -> str:
    """What the commands of a scope and language are kept under."""
    return f"{scope}/{chat}/{user}/{language}"


def _key(asked: Asked) -> str:
    scope = asked.object("scope") or {"type": "default"}
    kind, language = str(scope.get("type")), asked.text("language_code") or ""
    if language and not re.fullmatch(r"[a-z]{2}", language):
        raise bad("invalid language code specified")
    if kind in _WHOLE:
        return key(kind, language)
    if kind not in _OF_CHAT:
        raise bad("can't parse BotCommandScope: unsupported type specified")
    named = Asked(asked.api, {"chat_id": str(scope.get("chat_id", ""))}).chat(write=False)
    return key(kind, language, named.id, int(scope.get("user_id") or 0) if kind == "chat_member" else 0)


def set_commands(asked: Asked) -> bool:
    """`setMyCommands`: 1 to 32 characters `[a-z0-9_]`, a description of 1 to 256, 100 commands at most."""
    given = asked.parsed("commands")
    if not isinstance(given, list):
        raise bad("can't parse commands: expected an Array")
    commands: list[Json] = []
    for each in cast("list[object]", given):
        command = cast("Json", each) if isinstance(each, dict) else {}
        name, description = str(command.get("command", "")).removeprefix("/"), str(command.get("description", "")).strip()
        if not re.fullmatch(r"[a-z0-9_]{1,32}", name):
            raise bad("BOT_COMMAND_INVALID")
        if not 1 <= len(description) <= 256:
            raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
        commands.append({"command": name, "description": description})
    if len(commands) > MOST:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    asked.world.commit({"op": "commands", "key": _key(asked), "commands": commands or None})
    return True


def delete_commands(asked: Asked) -> bool:
    """`deleteMyCommands`."""
    asked.world.commit({"op": "commands", "key": _key(asked), "commands": None})
    return True


def get_commands(asked: Asked) -> list[Json]:
    """`getMyCommands`: those of exactly this scope and language."""
    return asked.world.state.commands.get(_key(asked), [])


def menu(world: World, chat: Chat, user: int, language: str = "en") -> list[Json]:
    """The commands that a person is offered in a chat (core.telegram.org/bots/api, Determining list of commands)."""
    if chat.kind == "private":
        scopes = [("chat", chat.id, 0), ("all_private_chats", 0, 0), ("default", 0, 0)]
    else:
        scopes = [("chat_member", chat.id, user)]
        if world.rules(chat, user):
            scopes += [("chat_administrators", chat.id, 0)]
        scopes += [("chat", chat.id, 0)]
        if world.rules(chat, user):
            scopes += [("all_chat_administrators", 0, 0)]
        scopes += [("all_group_chats", 0, 0), ("default", 0, 0)]
    for scope, place, person in scopes:
        for spoken in (language, ""):
            found = world.state.commands.get(key(scope, spoken, place, person))
            if found:
                return found
    return []
