"""What people do with the bot's commands and buttons."""

from sandbox.telegram import lookup
from sandbox.telegram.api import commands
from sandbox.telegram.model import Json
from sandbox.telegram.updates import Updates
from sandbox.telegram.views import query_view
from sandbox.telegram.world import World


class Wrong(ValueError):
    """What Telegram's app would not let a person do. The text says why."""


class Interacting:
    """Pressing buttons and looking at menus. Names are resolved as in `lookup`."""

    def __init__(self, world: World, updates: Updates) -> None:
        self.world = world
        self.updates = updates

    async def press(self, by: str, message: str, button: str, *, inaccessible: bool = False) -> Json:
        """Press an inline button, by its label or callback_data, and return the query. Raises `Wrong`.

        `inaccessible` lets the bot learn of the message only that it exists, as with one that is too old.
        """
        found, user = lookup.message(self.world, message), lookup.user(self.world, by).id
        chat = self.world.state.chats[found.chat]
        if found.deleted is not None or not (user == chat.id if chat.kind == "private" else self.world.inside(chat, user)):
            raise Wrong(f"{by} does not see message {message}")
        offered: list[Json] = [each for row in (found.markup or {}).get("inline_keyboard", []) for each in row]
        pressed = next((each for each in offered if button in (each["text"], each.get("callback_data"))), None)
        if pressed is None:
            raise Wrong(f"there is no button {button}; there are: {', '.join(each['text'] for each in offered) or 'none'}")
        if "callback_data" not in pressed:
            raise Wrong(f"{button} opens {pressed.get('url')}")
        query = self.world.add_query(user, found, pressed["callback_data"], inaccessible=inaccessible)
        return query_view(query)

    def query(self, query: str) -> Json:
        """One press."""
        found = self.world.state.queries.get(query)
        if found is None:
            raise lookup.Unknown(f"no query {query}")
        return query_view(found)

    def queries(self) -> list[Json]:
        """Every press there ever was, oldest first."""
        return [query_view(each) for each in self.world.state.queries.values()]

    async def expire_queries(self) -> None:
        """Let every press so far be too old to answer."""
        for each in self.world.state.queries.values():
            self.world.set_query(each, over=True)

    def commands(self, by: str, where: str = "", language: str = "en") -> list[Json]:
        """The menu of commands that a person is offered in a chat, or in the private one."""
        user = lookup.user(self.world, by).id
        chat = lookup.chat(self.world, where) if where else self.world.open_private(user)
        return commands.menu(self.world, chat, user, language)
