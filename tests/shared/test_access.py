"""Who may talk to us, and where."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from shared.access import Access, Named
from shared.chat import Author, AuthorId, Channel, ChannelId, Kind


@dataclass
class Said:
    """Who said something where."""

    user: str = "1"
    roles: tuple[str, ...] = ()
    place: str = "10"
    kind: Kind = "group"
    space: str | None = "100"
    home: str | None = None
    author: Author = field(init=False)
    channel: Channel = field(init=False)

    def __post_init__(self) -> None:
        parent = ChannelId("odd:10") if self.kind == "thread" else None
        self.channel = Channel(ChannelId(f"odd:{self.place}"), self.kind, parent, self.space and f"odd:{self.space}")
        roles = frozenset(f"odd:{role}" for role in self.roles)
        self.author = Author(AuthorId(f"odd:{self.user}"), "Ada", roles=roles, space=self.home and f"odd:{self.home}")


def allows(access: Access, said: Said) -> bool:
    return access.allows(said.author, said.channel)


DIRECT = Said(kind="direct", space=None)


def test_without_lists_everybody_may_in_a_space_and_nobody_in_direct_chats() -> None:
    assert allows(Access(), Said())
    assert not allows(Access(), DIRECT)


def test_direct_chats_are_open_to_those_on_the_list_or_to_all_by_setting() -> None:
    assert allows(Access(users=frozenset({"1"})), DIRECT)
    assert not allows(Access(users=frozenset({"2"})), DIRECT)
    assert allows(Access(direct_open=True), DIRECT)
    assert not allows(Access(roles=frozenset({"7"})), Said(kind="direct", space=None, roles=("7",)))


def test_a_list_of_spaces_keeps_the_others_out() -> None:
    access = Access(spaces=frozenset({"100"}))
    assert allows(access, Said())
    assert not allows(access, Said(space="101"))
    assert not allows(access, Said(space=None))


def test_where_people_of_several_spaces_are_together_their_own_counts() -> None:
    access = Access(spaces=frozenset({"100"}), direct_open=True)
    assert allows(access, Said(home="100"))
    assert not allows(access, Said(home="101"))
    assert allows(access, Said(space="101", home="100"))
    assert allows(Access(), Said(home="101"))
    assert allows(access, Said(kind="direct", space=None, home="100"))
    assert not allows(access, Said(kind="direct", space=None, home="101"))
    assert allows(access, DIRECT)


def test_whoever_is_listed_may_write_directly_from_any_space() -> None:
    assert allows(Access(spaces=frozenset({"100"}), users=frozenset({"1"})), Said(kind="direct", space=None, home="101"))


def test_a_thread_counts_as_its_channel() -> None:
    access = Access(channels=frozenset({"10"}))
    assert allows(access, Said())
    assert allows(access, Said(kind="thread", place="20"))
    assert not allows(access, Said(place="11"))


def test_a_person_or_one_of_their_roles_has_to_be_listed_if_any_is() -> None:
    access = Access(users=frozenset({"1"}), roles=frozenset({"7"}))
    assert allows(access, Said(user="1"))
    assert allows(access, Said(user="2", roles=("6", "7")))
    assert not allows(access, Said(user="2", roles=("6",)))
    assert not allows(Access(roles=frozenset({"7"})), Said())


def test_every_list_has_to_be_passed() -> None:
    access = Access(spaces=frozenset({"100"}), channels=frozenset({"11"}), users=frozenset({"1"}))
    assert not allows(access, Said())


def test_an_admin_need_not_be_among_the_users_and_an_empty_list_has_no_admins() -> None:
    access = Access(users=frozenset({"2"}), admins=frozenset({"1"}), channels=frozenset({"10"}))
    assert allows(access, Said())
    assert allows(access, DIRECT)
    assert not allows(access, Said(place="11"))
    assert access.administers(Said().author)
    assert not access.administers(Said(user="2").author)
    assert not Access().administers(Said().author)
    assert not Access(users=frozenset({"1"}), direct_open=True).administers(Said().author)


def test_what_holds_for_a_channel_holds_for_what_it_becomes(capsys: pytest.CaptureFixture[str]) -> None:
    old, mid, new = ChannelId("odd:10"), ChannelId("odd:11"), ChannelId("odd:12")
    lists = Access(channels=frozenset({"10"}))
    named = Named({"odd": lists, "even": lists}, {old: timedelta(hours=2)})
    idle = named.idle
    named.follow("odd", {old: mid, ChannelId("odd:20"): ChannelId("odd:21")})
    named.follow("odd", {mid: new})
    assert [allows(named.access["odd"], Said(place=place)) for place in ("10", "11", "12", "20", "21")] == [True] * 3 + [
        False
    ] * 2
    assert named.access["even"] == lists
    assert idle == dict.fromkeys((old, mid, new), timedelta(hours=2))
    told = capsys.readouterr().out
    named.follow("odd", {old: new, mid: new})
    assert capsys.readouterr().out == "", "it was told"
    assert "change it in the settings" in told
    assert [told.count(each) for each in ("warning", "allowed channels", "IDLE_CHANNELS")] == [4, 2, 2]


def test_where_nothing_is_listed_nothing_comes_to_be(capsys: pytest.CaptureFixture[str]) -> None:
    named = Named({"odd": Access()}, {})
    named.follow("odd", {ChannelId("odd:1"): ChannelId("odd:2")})
    assert (named.access, named.idle, capsys.readouterr().out) == ({"odd": Access()}, {}, "")
