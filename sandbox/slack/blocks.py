"""Blocks: what Slack refuses in them, and the buttons in them (docs.slack.dev, Block Kit reference)."""

import secrets
from collections.abc import Iterator
from typing import Any, cast

from sandbox.slack.errors import ApiError, invalid_blocks
from sandbox.slack.model import Json

BLOCKS = 50
"""Per message (Block Kit: Blocks)."""
MARKDOWN = 12_000
"""All markdown blocks of one payload together (Block Kit: Markdown block, cumulative limit)."""
SECTION, FIELD, FIELDS, HEADER, CONTEXT, ACTIONS, CONTEXT_ACTIONS = 3000, 2000, 10, 150, 10, 25, 5
BUTTON_TEXT, ACTION_ID, VALUE, URL, BLOCK_ID = 75, 255, 2000, 3000, 255
_OTHER = ("divider", "image", "rich_text", "video", "file", "table", "plan", "task_card", "card", "carousel", "alert")
"""Blocks that are taken as they are."""
_SELECTS = ("static_select", "users_select", "conversations_select", "channels_select", "external_select", "overflow")
_PICKERS = ("datepicker", "timepicker", "datetimepicker", "radio_buttons", "checkboxes")


def checked(given: object, too_many: str = "invalid_blocks") -> list[Json]:
    """Blocks as Slack stores them, with ids where the sender gave none.

    Raises `ApiError`: invalid_blocks_format when it is no list of objects, invalid_blocks for what is wrong with one,
    msg_blocks_too_long for too much Markdown, and `too_many` for more than 50.
    """
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in cast("list[object]", given)):
        raise ApiError("invalid_blocks_format")
    blocks = cast("list[Json]", given)
    if len(blocks) > BLOCKS:
        raise ApiError(too_many) if too_many != "invalid_blocks" else invalid_blocks("no more than 50 items allowed", "/blocks")
    made = [_block(dict(block), f"/blocks/{index}") for index, block in enumerate(blocks)]
    ids = [block["block_id"] for block in made]
    for index, each in enumerate(ids):
        if each in ids[:index]:
            raise invalid_blocks("`block_id` already exists", f"/blocks/{index}/block_id")
    if sum(len(block["text"]) for block in made if block["type"] == "markdown") > MARKDOWN:
        raise ApiError("msg_blocks_too_long")
    return made


def _block(block: Json, where: str) -> Json:
    kind = block.get("type")
    given = block.get("block_id")
    if given is not None and (not isinstance(given, str) or len(given) > BLOCK_ID):
        raise invalid_blocks(f"must be less than {BLOCK_ID + 1} characters", f"{where}/block_id")
    if given is None or kind == "markdown":  # a markdown block's own id is ignored (Block Kit: Markdown block)
        block["block_id"] = secrets.token_urlsafe(4)
    if kind == "section":
        _section(block, where)
    elif kind == "header":
        _text(block.get("text"), f"{where}/text", HEADER, plain=True)
    elif kind == "markdown":
        if not isinstance(block.get("text"), str) or not block["text"]:
            raise invalid_blocks("missing required field: text", where)
    elif kind == "context":
        for index, each in enumerate(_elements(block, where, CONTEXT)):
            if each.get("type") != "image":
                _text(each, f"{where}/elements/{index}", SECTION)
    elif kind == "actions":
        block["elements"] = [
            _element(each, f"{where}/elements/{index}") for index, each in enumerate(_elements(block, where, ACTIONS))
        ]
        _unique(block["elements"], where)
    elif kind == "context_actions":
        block["elements"] = [
            _feedback(each, f"{where}/elements/{index}") for index, each in enumerate(_elements(block, where, CONTEXT_ACTIONS))
        ]
    elif kind not in _OTHER:
        raise invalid_blocks(f"unsupported type: {kind}", f"{where}/type")
    return block


def _section(block: Json, where: str) -> None:
    if "text" not in block and not block.get("fields"):
        raise invalid_blocks("missing required field: text", where)
    if "text" in block:
        _text(block["text"], f"{where}/text", SECTION)
    fields: list[Any] = block.get("fields", [])
    if len(fields) > FIELDS:
        raise invalid_blocks(f"no more than {FIELDS} items allowed", f"{where}/fields")
    for index, each in enumerate(fields):
        _text(each, f"{where}/fields/{index}", FIELD)
    if "accessory" in block:
        block["accessory"] = _element(block["accessory"], f"{where}/accessory")


def _elements(block: Json, where: str, most: int) -> list[Json]:
    given: object = block.get("elements")
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in cast("list[object]", given)):
        raise invalid_blocks("missing required field: elements", where)
    elements = cast("list[Json]", given)
    if len(elements) > most:
        raise invalid_blocks(f"no more than {most} items allowed", f"{where}/elements")
    return elements


def _element(given: object, where: str) -> Json:
    if not isinstance(given, dict):
        raise invalid_blocks("must provide an object", where)
    element: Json = dict(cast("Json", given))
    kind = element.get("type")
    if kind == "image" or kind in _SELECTS or kind in _PICKERS:
        return {"action_id": secrets.token_urlsafe(4), **element}
    if kind != "button":
        raise invalid_blocks(f"unsupported type: {kind}", f"{where}/type")
    _text(element.get("text"), f"{where}/text", BUTTON_TEXT, plain=True)
    _short(element, where, {"action_id": ACTION_ID, "value": VALUE, "url": URL})
    if element.get("style") not in (None, "primary", "danger"):
        raise invalid_blocks("invalid value", f"{where}/style")
    return {"action_id": secrets.token_urlsafe(4), **element}


def _feedback(given: Json, where: str) -> Json:
    element = {"action_id": secrets.token_urlsafe(4), **given}
    _short(element, where, {"action_id": ACTION_ID})
    if element.get("type") == "icon_button":
        _text(element.get("text"), f"{where}/text", BUTTON_TEXT, plain=True)
    elif element.get("type") == "feedback_buttons":
        for each in ("positive_button", "negative_button"):
            button: object = element.get(each)
            if not isinstance(button, dict):
                raise invalid_blocks(f"missing required field: {each}", where)
            _text(cast("Json", button).get("text"), f"{where}/{each}/text", BUTTON_TEXT, plain=True)
            _short(cast("Json", button), f"{where}/{each}", {"value": VALUE})
    else:
        raise invalid_blocks(f"unsupported type: {element.get('type')}", f"{where}/type")
    return element


def _text(given: object, where: str, most: int, *, plain: bool = False) -> None:
    text = cast("Json", given) if isinstance(given, dict) else {}
    if text.get("type") not in (("plain_text",) if plain else ("plain_text", "mrkdwn")):
        raise invalid_blocks("must provide a text object", where)
    if not isinstance(text.get("text"), str) or not text["text"]:
        raise invalid_blocks("must be more than 0 characters", f"{where}/text")
    if len(text["text"]) > most:
        raise invalid_blocks(f"must be less than {most + 1} characters", f"{where}/text")


def _short(element: Json, where: str, limits: dict[str, int]) -> None:
    for name, most in limits.items():
        value = element.get(name)
        if value is not None and (not isinstance(value, str) or not 0 < len(value) <= most):
            raise invalid_blocks(f"must be 1 to {most} characters", f"{where}/{name}")


def _unique(elements: list[Json], where: str) -> None:
    ids = [each["action_id"] for each in elements]
    if len(set(ids)) != len(ids):
        raise invalid_blocks("`action_id` already exists", f"{where}/elements")


def buttons_of(blocks: list[Json]) -> Iterator[Json]:
    """The buttons, in order: `label`, `block_id` and the `action` that pressing sends (Block Kit: block_actions payload)."""
    for block in blocks:
        elements: list[Json] = block["elements"] if block["type"] in ("actions", "context_actions") else []
        if block["type"] == "section" and "accessory" in block:
            elements = [block["accessory"]]
        for element in elements:
            for label, action in _pressable(element):
                yield {"label": label, "block_id": block["block_id"], "action": {**action, "block_id": block["block_id"]}}


def _pressable(element: Json) -> Iterator[tuple[str, Json]]:
    base: Json = {"type": element["type"], "action_id": element["action_id"]}
    if element["type"] in ("button", "icon_button"):
        kept = {name: element[name] for name in ("text", "value", "style") if name in element}
        yield element["text"]["text"], base | kept
    elif element["type"] == "feedback_buttons":
        for each in ("positive_button", "negative_button"):
            button: Json = element[each]
            yield button["text"]["text"], base | {"text": button["text"], "value": button.get("value", "")}
