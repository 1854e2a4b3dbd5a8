"""Edits, deletions, commands and presses, as the odd platform would deliver them."""

from shared.access import Access
from shared.chat import Author, AuthorId, Command, Deleted, Edited, Message, MessageId, Pressed, Target
from tests.odd.platform import channel
from tests.odd.service import Note
from tests.shared.house import NOON, House, heard

HALL = channel("hall")
ADA_ALONE = Access(users=frozenset({"ada"}))


def note(number: int, text: str = "bot, hello", who: str = "ada") -> Message:
    return heard(Note(number, who, text, at=NOON))


def edited(message: Message, *, key: str = "edit") -> Edited:
    return Edited(keys=(f"{message.id}/{key}",), message=message)


def called(name: str, *, who: str = "ada", number: int = 1, **options: str) -> Command:
    author = Author(AuthorId(f"odd:{who}"), who)
    return Command(
        keys=(f"call {number}",), target=Target(HALL, user=author.id), author=author, sent_at=NOON, name=name, options=options
    )


def pressed(button: str, message: str, *, who: str = "ada", number: int = 1, private: bool = True) -> Pressed:
    author = Author(AuthorId(f"odd:{who}"), who)
    target = Target(HALL, user=author.id, private=private)
    return Pressed(
        keys=(f"press {number}",), target=target, author=author, sent_at=NOON, button=button, message=MessageId(message)
    )


async def all_of(h: House, event: Edited | Deleted | Command | Pressed | Message) -> list[str]:
    await h.hear(event)
    await h.quiet()
    return h.shown()
