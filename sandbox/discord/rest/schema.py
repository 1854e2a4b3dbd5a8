"""What an application command may look like (Discord developer docs, Application Commands: Application Command Object)."""

import unicodedata
from typing import Any, cast

from sandbox.discord.errors import ApiError, bad_length, invalid
from sandbox.discord.model import Json
from sandbox.discord.rest.asked import list_of, text_of

CHAT_INPUT, USER, MESSAGE = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN = 1, 2, 3, 4, 5
PERSON, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = 6, 7, 8, 9, 10, 11
"""Option types."""
_CHOOSING = (STRING, INTEGER, NUMBER)
NAME, DESCRIPTION, CHOICE = (1, 32), (1, 100), (1, 100)
OPTIONS, CHOICES = 25, 25
CHARACTERS = 8000
"""Of names, descriptions and values of a command together (Application Commands: Slash Commands)."""
LENGTH = 6000
"""The greatest `min_length` and `max_length`."""


def checked(given: object, field: str, everywhere: bool) -> Json:
    """A command with every field filled in. `field` is put before the names of fields in errors; `everywhere` is whether
    it is a global one. Raises `ApiError` 50035."""
    if not isinstance(given, dict):
        raise ApiError(50035)
    body = cast("Json", given)
    kind = body.get("type", CHAT_INPUT)
    if kind not in (CHAT_INPUT, USER, MESSAGE):
        raise invalid(f"{field}type", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3).")
    command: Json = {"type": kind, "name": _name(body, field, plain=kind == CHAT_INPUT)}
    command["description"] = _description(body, field) if kind == CHAT_INPUT else ""
    if kind != CHAT_INPUT and (body.get("description") or body.get("options")):
        raise invalid(f"{field}description", "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_SET", "It has none.")
    command["options"] = _options(body, field) if kind == CHAT_INPUT else []
    for name, default in (("default_member_permissions", None), ("nsfw", False)):
        command[name] = body.get(name, default)
    for name in ("name_localizations", "description_localizations"):
        command[name] = body.get(name)
    if everywhere:
        command |= {"dm_permission": body.get("dm_permission", True), "contexts": body.get("contexts")}
        command["integration_types"] = body.get("integration_types") or [0]
    if _characters(command) > CHARACTERS:
        raise invalid(f"{field}name", "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({CHARACTERS})")
    return command


def _name(body: Json, field: str, *, plain: bool = True) -> str:
    name = text_of(body, "name", *NAME, f"{field}name")
    if name is None:
        raise invalid(f"{field}name", "BASE_TYPE_REQUIRED", "This field is required")
    if plain and (name != name.lower() or not all(_letter(sign) for sign in name)):
        raise invalid(f"{field}name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    return name


def _letter(sign: str) -> bool:
    r"""Whether `^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]$` matches (Application Command Naming)."""
    script = 0x0900 <= ord(sign) <= 0x097F or 0x0E00 <= ord(sign) <= 0x0E7F
    return sign in "-_'" or unicodedata.category(sign)[0] in "LN" or script


def _description(body: Json, field: str) -> str:
    text = text_of(body, "description", *DESCRIPTION, f"{field}description")
    if text is None:
        raise invalid(f"{field}description", "BASE_TYPE_REQUIRED", "This field is required")
    return text


def _options(body: Json, field: str, depth: int = 0) -> list[Json]:
    given = list_of(body, "options") or []
    if len(given) > OPTIONS:
        raise invalid(f"{field}options", "BASE_TYPE_MAX_LENGTH", f"Must be {OPTIONS} or fewer in length.")
    made: list[Json] = []
    for index, each in enumerate(given):
        option = _option(each, f"{field}options.{index}.", depth)
        if any(option["name"] == before["name"] for before in made):
            raise invalid(f"{field}options.{index}.name", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Name is used twice")
        if option.get("required") and made and not made[-1].get("required"):
            code = "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"
            raise invalid(f"{field}options.{index}", code, "Required options must be placed before non-required options")
        made.append(option)
    if len({option["type"] in (SUBCOMMAND, GROUP) for option in made}) > 1:
        raise invalid(f"{field}options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-commands and values do not mix")
    return made


def _option(given: object, field: str, depth: int) -> Json:
    if not isinstance(given, dict):
        raise invalid(field.rstrip("."), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    body = cast("Json", given)
    kind = body.get("type")
    # A group stands in the command only, a sub-command there or in a group.
    low = SUBCOMMAND if depth == 1 else GROUP + 1 if depth == 2 else SUBCOMMAND
    if not isinstance(kind, int) or not low <= kind <= ATTACHMENT or (depth == 1 and kind == GROUP):
        raise invalid(f"{field}type", "BASE_TYPE_CHOICES", f"Value must be one of ({low}..{ATTACHMENT}).")
    option: Json = {"type": kind, "name": _name(body, field), "description": _description(body, field)}
    if kind in (SUBCOMMAND, GROUP):
        return option | {"options": _options(body, field, 2 if kind == SUBCOMMAND else 1)}
    option["required"] = bool(body.get("required"))
    if kind in _CHOOSING and "choices" in body:
        option["choices"] = _choices(body, field, kind)
    if body.get("autocomplete"):
        if kind not in _CHOOSING or option.get("choices"):
            code = "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES_INVALID"
            raise invalid(f"{field}autocomplete", code, "Autocomplete does not go with choices or this type")
        option["autocomplete"] = True
    for name, kinds in (("min_value", (INTEGER, NUMBER)), ("max_value", (INTEGER, NUMBER)), ("channel_types", (CHANNEL,))):
        if kind in kinds and body.get(name) is not None:
            option[name] = body[name]
    for name, least in (("min_length", 0), ("max_length", 1)):
        length: Any = body.get(name)
        if kind == STRING and length is not None:
            if not isinstance(length, int) or not least <= length <= LENGTH:
                raise invalid(f"{field}{name}", "NUMBER_TYPE_MAX", f"int value should be between {least} and {LENGTH}.")
            option[name] = length
    return option


def _choices(body: Json, field: str, kind: int) -> list[Json]:
    choices = cast("list[Json]", list_of(body, "choices") or [])
    if len(choices) > CHOICES:
        raise invalid(f"{field}choices", "BASE_TYPE_MAX_LENGTH", f"Must be {CHOICES} or fewer in length.")
    made: list[Json] = []
    for index, choice in enumerate(choices):
        name = text_of(choice, "name", *CHOICE, f"{field}choices.{index}.name")
        value: object = choice.get("value")
        fits = isinstance(value, str) if kind == STRING else isinstance(value, int if kind == INTEGER else int | float)
        if name is None or not fits:
            raise invalid(f"{field}choices.{index}.value", "BASE_TYPE_REQUIRED", "A choice has a name and a value of its type.")
        if isinstance(value, str) and not 1 <= len(value) <= CHOICE[1]:
            raise bad_length(f"{field}choices.{index}.value", *CHOICE)
        made.append({"name": name, "value": value})
    return made


def _characters(part: Json) -> int:
    own = len(part["name"]) + len(part.get("description", "")) + len(str(part.get("value", "")))
    below: list[Json] = [*part.get("options", []), *part.get("choices", [])]
    return own + sum(_characters(each) for each in below)
