"""Which option of a command is being typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.page.completing import typed
from tests.sandbox.page.visitor import Json

NAME: Json = {"name": "name", "type": 3, "autocomplete": True}
FOR: Json = {"name": "for", "type": 3, "choices": [{"name": "channel", "value": "channel"}]}
TEXT: Json = {"name": "text", "type": 3}
FILE: Json = {"name": "file", "type": 11}


@pytest.mark.parametrize(
    ("line", "option", "value", "filled"),
    [
        ("/model ", NAME, "", "/model a b"),
        ("/model op", NAME, "op", "/model a b"),
        ("/model  claude op", NAME, "claude op", "/model  a b"),
        ("/model name:op", NAME, "op", '/model name:"a b"'),
        ('/model name:"claude op', NAME, "claude op", '/model name:"a b"'),
        ("/model for:channel op", NAME, "op", "/model for:channel a b"),
        ("/model for:channel ", NAME, "", "/model for:channel a b"),
        ("/model opus for:", FOR, "", '/model opus for:"a b"'),
        ("/model opus for:ch", FOR, "ch", '/model opus for:"a b"'),
        ("/model opus ", FOR, "", '/model opus for:"a b"'),
        ("/model what:op", NAME, "what:op", "/model a b"),
    ],
)
def test_the_option_that_is_being_typed_is_found(line: str, option: Json, value: str, filled: str) -> None:
    found = typed(line, [NAME, FOR])
    assert found is not None
    assert (found.option, found.value, found.filled("a b")) == (option, value, filled)


@pytest.mark.parametrize("line", ["/model", "model", "/model opus for:channel ", "/model for:channel opus "])
def test_where_nothing_is_being_typed_there_is_no_option(line: str) -> None:
    assert typed(line, [NAME, FOR]) is None


@pytest.mark.parametrize("line", ["/system ", "/system Be brief", "/system Be brief ", "/system file:a"])
def test_a_free_text_has_no_values(line: str) -> None:
    assert typed(line, [TEXT, FOR, FILE]) is None


def test_behind_a_free_text_an_option_is_filled_in_by_its_name() -> None:
    found = typed("/system Be brief for:c", [TEXT, FOR, FILE])
    assert found is not None
    assert (found.option, found.filled("channel")) == (FOR, "/system Be brief for:channel")


def test_a_command_with_sub_commands_is_left_alone() -> None:
    assert typed("/again ", [{"name": "now", "type": 1, "options": [NAME]}]) is None


@given(st.text(st.sampled_from('/am :"forname\n'), max_size=30))
def test_any_line_is_kept_up_to_the_value(line: str) -> None:
    found = typed(line, [NAME, FOR])
    assert found is None or found.filled("x").startswith(line.removesuffix(found.value).rstrip('"'))
