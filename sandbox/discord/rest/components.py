"""Components of messages: action rows of buttons and select menus (Discord developer docs, Components: Reference)."""

from collections.abc import Iterator
from typing import Any, cast

from sandbox.discord.errors import bad_length, invalid
from sandbox.discord.model import COMPONENTS_V2, Json
from sandbox.discord.rest.asked import flags_of, list_of, text_of

ROW, BUTTON = 1, 2
SELECTS = frozenset({3, 5, 6, 7, 8})
LINK = 5
"""The style of a button that opens an address and sends nothing."""
ROWS, BUTTONS = 5, 5
LABEL, CUSTOM_ID = 80, 100


def components_of(body: Json) -> list[Json] | None:
    """The components of the body; None when absent. Null and [] both take them away.

    Raises `ApiError` 50035 for what Discord would refuse, and for Components V2, which the simulator does not know.
    """
    if (flags_of(body) or 0) & COMPONENTS_V2:
        raise invalid("flags", "COMPONENTS_V2_UNKNOWN", "The simulator knows no Components V2.")
    if "components" not in body:
        return None
    rows = list_of(body, "components") or []
    if len(rows) > ROWS:
        raise bad_length("components", 1, ROWS)
    seen: set[str] = set()
    made = [_row(row, f"components.{index}", seen) for index, row in enumerate(rows)]
    for number, each in enumerate(_each(made), 1):
        each["id"] = number  # numbered by Discord when the sender does not (Anatomy of a Component: `id`)
    return made


def buttons_of(components: list[Json]) -> list[Json]:
    """The buttons, in order."""
    return [each for each in _each(components) if each["type"] == BUTTON]


def _each(components: list[Json]) -> Iterator[Json]:
    for component in components:
        yield component
        yield from component.get("components", [])


def _row(given: object, field: str, seen: set[str]) -> Json:
    row = _object(given, field)
    if row.get("type") != ROW:
        raise invalid(f"{field}.type", "UNION_TYPE_CHOICES", "Value of field 'type' must be one of (1,).")
    children: object = row.get("components")
    if not isinstance(children, list) or not 1 <= len(cast("list[Any]", children)) <= BUTTONS:
        raise bad_length(f"{field}.components", 1, BUTTONS)
    items = cast("list[Any]", children)
    made = [_child(child, f"{field}.components.{index}", seen) for index, child in enumerate(items)]
    if len(made) > 1 and any(each["type"] in SELECTS for each in made):
        raise invalid(f"{field}.components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the width.")
    return {"type": ROW, "components": made}


def _child(given: object, field: str, seen: set[str]) -> Json:
    child = _object(given, field)
    kind = child.get("type")
    if kind != BUTTON and kind not in SELECTS:
        raise invalid(f"{field}.type", "UNION_TYPE_CHOICES", "Value of field 'type' must be one of (2, 3, 5, 6, 7, 8).")
    if kind == BUTTON:
        _button(child, field)
    custom_id = child.get("custom_id")
    if custom_id is None and not (kind == BUTTON and child.get("style") == LINK):
        raise invalid(f"{field}.custom_id", "BASE_TYPE_REQUIRED", "This field is required")
    if custom_id is not None:
        text_of(child, "custom_id", 1, CUSTOM_ID, f"{field}.custom_id")
        if custom_id in seen:
            raise invalid(f"{field}.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated")
        seen.add(custom_id)
    return dict(child)


def _button(button: Json, field: str) -> None:
    style = button.get("style")
    if not isinstance(style, int) or not 1 <= style <= LINK:
        raise invalid(f"{field}.style", "BASE_TYPE_CHOICES", "Value must be one of (1, 2, 3, 4, 5).")
    label = text_of(button, "label", 0, LABEL, f"{field}.label")
    if not label and not button.get("emoji"):
        raise invalid(f"{field}.label", "BUTTON_COMPONENT_MISSING_LABEL", "A button must have a label or an emoji.")
    if (style == LINK) != bool(button.get("url")):
        raise invalid(f"{field}.url", "BUTTON_COMPONENT_INVALID_URL", "A link button, and no other, has a url.")
    if style == LINK and button.get("custom_id") is not None:
        raise invalid(f"{field}.custom_id", "BUTTON_COMPONENT_CUSTOM_ID_URL_CONFLICT", "A custom id and url cannot both be set.")


def _object(given: object, field: str) -> Json:
    if not isinstance(given, dict):
        raise invalid(field, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
    return cast("Json", given)
