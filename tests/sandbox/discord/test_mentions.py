import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord.errors import ApiError
from sandbox.discord.mentions import bare_links, pings_of
from sandbox.discord.model import Json, Pings

TEXT = "<@1> <@!2> <@&7> @everyone @here"


def test_without_allowed_mentions_everything_in_the_text_pings() -> None:
    assert pings_of(TEXT, None, replied=3, may_everyone=True) == Pings([1, 2, 3], [7], True)


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ({}, Pings()),
        ({"parse": []}, Pings()),
        ({"parse": ["users"]}, Pings([1, 2])),
        ({"parse": ["roles"]}, Pings([], [7])),
        ({"parse": ["everyone"]}, Pings([], [], True)),
        ({"parse": [], "users": ["2"]}, Pings([2])),
        ({"parse": [], "roles": ["7"]}, Pings([], [7])),
        ({"parse": [], "replied_user": True}, Pings([3])),
    ],
)
def test_with_allowed_mentions_only_what_it_lists_pings(allowed: Json, expected: Pings) -> None:
    assert pings_of(TEXT, allowed, replied=3, may_everyone=True) == expected


def test_nobody_is_pinged_who_does_not_exist() -> None:
    assert pings_of(TEXT, None, known={2}) == Pings([2], [7])


def test_everyone_and_closed_roles_need_the_permission() -> None:
    assert pings_of(TEXT, None, may_everyone=False, role_mentionable=lambda _: False) == Pings([1, 2])
    assert pings_of(TEXT, None, may_everyone=False, role_mentionable=lambda role: role == 7) == Pings([1, 2], [7])


@pytest.mark.parametrize("allowed", [{"parse": ["users"], "users": ["1"]}, {"parse": ["bots"]}, {"parse": "users"}])
def test_contradictory_allowed_mentions_are_refused(allowed: Json) -> None:
    with pytest.raises(ApiError, match="50035"):
        pings_of(TEXT, allowed)


@given(text=st.text(), allowed=st.lists(st.integers(1, 3)))
def test_nobody_is_pinged_whom_the_text_does_not_name(text: str, allowed: list[int]) -> None:
    for user in pings_of(text + "<@1>", {"users": [str(each) for each in allowed]}).users:
        assert user == 1
        assert 1 in allowed


def test_links_in_angle_brackets_show_no_preview() -> None:
    assert bare_links("see https://a.example/x and <https://b.example>") == ["https://a.example/x"]
    assert bare_links("<https://b.example>") == []
