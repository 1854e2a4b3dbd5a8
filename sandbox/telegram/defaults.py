"""The world a simulator starts with: five people, the bot and another one, and six groups."""

from collections.abc import Iterator

from sandbox.telegram.model import Json

BOT, BOT_NAME = 7_000_000_001, "threadline_bot"
OTHER_BOT, OTHER_BOT_NAME = 7_000_000_002, "other_bot"
PEOPLE = {f"user{n}": (5_000_000_000 + n, name) for n, name in enumerate(("Ada", "Ben", "Chloe", "Deniz", "Emeka"), 1)}
"""Username to id and first name."""
GROUPS = {"kitchen": -4_000_000_001}
"""A basic group with the bot."""
SUPERGROUPS = {"general": -1_002_000_000_001, "random": -1_002_000_000_002, "lounge": -1_002_000_000_003}
"""The bot is not in `lounge`."""
FORUMS = {"workshop": -1_002_000_000_004}
"""A forum with the topic `plans` beside General."""
CREATED = 1_600_000_000.0
FIRST_UPDATE = 700_000_000
"""Updates are numbered from a certain positive number (core.telegram.org/bots/api, Update: update_id)."""


def changes(*, privacy: bool) -> Iterator[Json]:
    """The changes that make the default world. The ids are the same each time."""
    for username, (user, name) in PEOPLE.items():
        yield {"op": "user", "id": user, "username": username, "first_name": name}
    yield {"op": "user", "id": BOT, "username": BOT_NAME, "first_name": "Threadline", "bot": True}
    yield {"op": "user", "id": OTHER_BOT, "username": OTHER_BOT_NAME, "first_name": "Other", "bot": True}
    people = [[user, "creator" if username == "user1" else "member"] for username, (user, _) in PEOPLE.items()]
    for title, chat in (GROUPS | SUPERGROUPS | FORUMS).items():
        there = [] if title == "lounge" else [[BOT, "member"]]
        kind = "group" if title in GROUPS else "supergroup"
        change: Json = {"op": "chat", "id": chat, "kind": kind, "title": title, "forum": title in FORUMS}
        yield change | {"members": [*people, [OTHER_BOT, "member"], *there], "hears_all": not privacy}
    for forum in FORUMS.values():
        made = {"forum_topic_created": {"name": "plans", "icon_color": 7322096}}
        user = PEOPLE["user1"][0]
        change = {"op": "message", "chat": forum, "id": 2, "sender": user, "created": CREATED, "topic": 2, "service": made}
        yield change
        yield {"op": "topic", "chat": forum, "id": 2, "name": "plans"}
