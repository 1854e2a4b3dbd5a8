import pytest

from shared.commands import COMMANDS, parse


@pytest.mark.parametrize("text", ["/stop", " /STOP\n", "/Stop"])
def test_a_command_is_recognised_in_any_case_and_with_space_around_it(text: str) -> None:
    assert parse(text) == "stop"


@pytest.mark.parametrize("text", ["", "/", "stop", "/stop it", "//stop", "/etc/passwd", "/unknown", "</stop:1>", "/ stop"])
def test_anything_else_is_an_ordinary_text(text: str) -> None:
    assert parse(text) is None


def test_every_command_is_recognised() -> None:
    assert [parse(f"/{name}") for name in sorted(COMMANDS)] == sorted(COMMANDS)
