"""Every setting is told in `.env.example` and in the README, with its true default."""

import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import pytest

from shared.settings import Settings, load, names
from tests.project.repository import ROOT

EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
LINE = re.compile(r"^#?(?P<name>[A-Z_]+)=(?P<value>.*)$", re.MULTILINE)
ROW = re.compile(r"^\| `(?P<name>[A-Z_]+)` \| (?P<default>[^|]*) \| (?P<meaning>[^|]+) \|$", re.MULTILINE)
CHOICES = {
    name.upper(): get_args(field.annotation)
    for name, field in Settings.model_fields.items()
    if get_origin(field.annotation) is Literal
}


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names():
        monkeypatch.delenv(name, raising=False)


def meanings() -> dict[str, str]:
    """The comment above each setting of `.env.example`."""
    found: dict[str, str] = {}
    for block in EXAMPLE.split("\n\n"):
        if match := LINE.search(block):
            found[match["name"]] = block[: match.start()].replace("#", "").strip()
    return found


def test_the_example_lists_every_setting_once_in_their_order_and_nothing_else() -> None:
    assert [match["name"] for match in LINE.finditer(EXAMPLE)] == list(names())


def test_every_setting_of_the_example_has_a_meaning() -> None:
    told = meanings()
    assert list(told) == list(names())
    assert [name for name, meaning in told.items() if not meaning.endswith(".") or len(meaning) < 20] == []


def test_the_values_of_the_example_are_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("\n".join(f"{match['name']}={match['value']}" for match in LINE.finditer(EXAMPLE)), "utf-8")
    assert load(file) == load(None)


def test_the_example_copied_as_it_is_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text(EXAMPLE, "utf-8")
    assert load(file) == load(None)


@pytest.mark.parametrize("name", CHOICES)
def test_every_choice_of_a_setting_is_named(name: str) -> None:
    row = next(match["meaning"] for match in ROW.finditer(README) if match["name"] == name)
    for choice in CHOICES[name]:
        assert re.search(rf"\b{choice}\b", meanings()[name]), choice
        assert f"`{choice}`" in row or not choice, choice


def test_the_readme_lists_every_setting_once_and_nothing_else() -> None:
    assert [match["name"] for match in ROW.finditer(README)] == list(names())


def test_the_defaults_of_the_readme_are_those_of_the_example() -> None:
    example = {match["name"]: match["value"] for match in LINE.finditer(EXAMPLE)}
    for match in ROW.finditer(README):
        default = match["default"].strip().strip("`")
        if match["name"] != "SYSTEM_PROMPT":
            assert default == (example[match["name"]] or "empty"), match["name"]
