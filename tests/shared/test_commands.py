"""The one table of commands, and texts that are commands."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.commands import COMMANDS, SCOPES, Parsed, parse


@pytest.mark.parametrize("text", ["/stop", " /STOP\n", "/Stop"])
def test_a_command_is_recognised_in_any_case_and_with_space_around_it(text: str) -> None:
    assert parse(text) == Parsed("stop")


@pytest.mark.parametrize(
    "text",
    ["", "/", "stop", "/stop it", "//stop", "/etc/passwd", "/unknown", "</stop:1>", "/ stop", "/model one two", "/new channel"],
)
def test_anything_else_is_an_ordinary_text(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("name", [spec.name for spec in COMMANDS])
def test_every_command_is_recognised(name: str) -> None:
    assert parse(f"/{name}") == Parsed(name)  # pyright: ignore[reportArgumentType]  (the names are those of the table)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("/model opus", {"name": "opus"}),
        ("/model opus channel", {"name": "opus", "for": "channel"}),
        ("/model opus for channel", {"name": "opus", "for": "channel"}),
        ("/model opus for:Channel", {"name": "opus", "for": "channel"}),
        ("/model channel", {"for": "channel"}),
        ("/effort high global", {"level": "high", "for": "global"}),
        ("/system  Be brief.\nAnd kind. ", {"text": "Be brief.\nAnd kind."}),
        ("/system Write for the whole channel", {"text": "Write for the whole channel"}),
        ("/system Write well for:channel", {"text": "Write well", "for": "channel"}),
        ("/system for:platform", {"for": "platform"}),
        ("/ask what is up", {"question": "what is up"}),
        ("/resume 1a2b3c4d", {"conversation": "1a2b3c4d"}),
    ],
)
def test_what_follows_a_command_are_its_options(text: str, options: dict[str, str]) -> None:
    parsed = parse(text)
    assert parsed is not None
    assert parsed.options == options


@given(st.text())
@settings(deadline=None)
def test_whatever_is_written_is_a_command_of_the_table_or_none(text: str) -> None:
    for written in (text, f"/model {text}", f"/system {text}"):
        parsed = parse(written)
        if parsed is not None:
            known = {option.name for spec in COMMANDS if spec.name == parsed.name for option in spec.options}
            assert parsed.options.keys() <= known
            assert parsed.options.get("for", SCOPES[0]) in SCOPES


@given(st.text(alphabet="ab c\n", max_size=20))
@settings(deadline=None)
def test_no_word_of_a_text_is_lost(text: str) -> None:
    parsed = parse(f"/system {text}")
    assert parsed is not None
    assert parsed.options.get("text", "").split() == text.split()


def test_the_table_keeps_to_what_platforms_take() -> None:
    for spec in COMMANDS:
        assert re.fullmatch("[a-z]{1,32}", spec.name)
        assert 0 < len(spec.description) <= 100
        assert sorted(spec.options, key=lambda option: not option.required) == list(spec.options)
        for option in spec.options:
            assert re.fullmatch("[a-z]{1,32}", option.name)
            assert 0 < len(option.description) <= 100
            assert len(option.choices) <= 25
