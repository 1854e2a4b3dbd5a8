"""Who may talk to us, and where."""

from datetime import UTC, datetime

from shared.access import Access
from shared.chat import Author, AuthorId, Channel, ChannelId, Kind, Message, MessageId, Target


def said(
    *, user: str = "1", roles: tuple[str, ...] = (), place: str = "10", kind: Kind = "group", space: str | None = "100"
) -> Message:
    parent = ChannelId("odd:10") if kind == "thread" else None
    return Message(
        keys=("k",),
        id=MessageId("odd:5"),
        target=Target(Channel(ChannelId(f"odd:{place}"), kind, parent, space and f"odd:{space}")),
        author=Author(AuthorId(f"odd:{user}"), "Ada", roles=frozenset(f"odd:{role}" for role in roles)),
        sent_at=datetime.now(UTC),
        text="hello",
        addressed=True,
    )


def test_without_lists_everybody_may_in_a_space_and_nobody_in_direct_chats() -> None:
    assert Access().allows(said())
    assert not Access().allows(said(kind="direct", space=None))


def test_direct_chats_are_open_to_those_on_the_list_or_to_all_by_setting() -> None:
    direct = said(kind="direct", space=None)
    assert Access(users=frozenset({"1"})).allows(direct)
    assert not Access(users=frozenset({"2"})).allows(direct)
    assert Access(direct_open=True).allows(direct)
    assert not Access(roles=frozenset({"7"})).allows(said(kind="direct", space=None, roles=("7",)))


def test_a_list_of_spaces_keeps_the_others_out() -> None:
    access = Access(spaces=frozenset({"100"}))
    assert access.allows(said())
    assert not access.allows(said(space="101"))
    assert not access.allows(said(space=None))


def test_a_thread_counts_as_its_channel() -> None:
    access = Access(channels=frozenset({"10"}))
    assert access.allows(said())
    assert access.allows(said(kind="thread", place="20"))
    assert not access.allows(said(place="11"))


def test_a_person_or_one_of_their_roles_has_to_be_listed_if_any_is() -> None:
    access = Access(users=frozenset({"1"}), roles=frozenset({"7"}))
    assert access.allows(said(user="1"))
    assert access.allows(said(user="2", roles=("6", "7")))
    assert not access.allows(said(user="2", roles=("6",)))
    assert not Access(roles=frozenset({"7"})).allows(said())


def test_every_list_has_to_be_passed() -> None:
    access = Access(spaces=frozenset({"100"}), channels=frozenset({"11"}), users=frozenset({"1"}))
    assert not access.allows(said())
