"""A bare HTTP client of claude.ai's web API, for the simulator's own tests."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from yarl import URL

from sandbox.claude_web import ClaudeWebSimulator


def new_uuid() -> str:
    return str(uuid4())


@dataclass(frozen=True)
class Event:
    name: str
    data: dict[str, Any]


def parse(raw: bytes) -> list[Event]:
    """The events of a whole stream, as the HTML standard reads them; those without data are left out."""
    lines = raw.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")
    events: list[Event] = []
    name, data = "", list[str]()
    for line in lines:
        if not line:
            if data:
                events.append(Event(name, json.loads("\n".join(data))))
            name, data = "", []
        elif line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
    return events


def text_of(events: list[Event]) -> str:
    deltas = [event.data["delta"] for event in events if event.name == "content_block_delta"]
    return "".join(delta["text"] for delta in deltas if delta["type"] == "text_delta")


def body(prompt: str = "hello", **more: object) -> dict[str, Any]:
    return {"prompt": prompt, "model": "claude-sonnet-4-6", "files": [], "attachments": [], "rendering_mode": "messages", **more}


def turn(human: str, assistant: str) -> dict[str, str]:
    return {"human_message_uuid": human, "assistant_message_uuid": assistant}


class Http:
    """A session with its cookie, and the paths of one organisation."""

    def __init__(self, web: ClaudeWebSimulator, session: aiohttp.ClientSession) -> None:
        self.web = web
        self.session = session
        self.organization = f"/api/organizations/{web.organization}"

    def conversation(self, uuid: str, action: str = "") -> str:
        return f"{self.organization}/chat_conversations/{uuid}{action}"

    async def call(self, method: str, path: str, sent: object = None, /, **params: str) -> tuple[int, Any]:
        """The status, and the JSON that was answered (else the bytes)."""
        async with self.session.request(method, path, json=sent, params=params) as response:
            raw = await response.read()
            return response.status, json.loads(raw) if response.content_type == "application/json" else raw

    async def say(self, conversation: str, prompt: str = "hello", **more: object) -> list[Event]:
        """Complete, and return the events; asserts 200."""
        async with self.session.post(self.conversation(conversation, "/completion"), json=body(prompt, **more)) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            return parse(await response.read())

    async def begin(self, prompt: str = "hello", **more: object) -> str:
        """A new conversation by its first message, answered whole; its uuid."""
        uuid = new_uuid()
        await self.say(uuid, prompt, create_conversation_params={"name": ""}, **more)
        return uuid

    async def retry(self, conversation: str, human: str, **more: object) -> list[Event]:
        sent = {"prompt": "", "parent_message_uuid": human, **more}
        async with self.session.post(self.conversation(conversation, "/retry_completion"), json=sent) as response:
            assert response.status == 200, await response.text()
            return parse(await response.read())

    async def tree(self, conversation: str) -> dict[str, Any]:
        """A conversation with the messages of all branches."""
        status, found = await self.call("GET", self.conversation(conversation), tree="True", rendering_mode="messages")
        assert status == 200
        return found

    async def texts(self, conversation: str) -> list[str]:
        """The texts of the shown branch."""
        return [message.text for message in self.web.branch(conversation)]


async def open_http(web: ClaudeWebSimulator) -> AsyncIterator[Http]:
    cookies = {"sessionKey": web.session_key}
    jar = aiohttp.CookieJar(unsafe=True)  # the host is an address, not a name
    jar.update_cookies(cookies, URL(web.url))
    async with aiohttp.ClientSession(web.url, cookie_jar=jar) as session:
        yield Http(web, session)


def is_uuid(value: str) -> bool:
    return str(UUID(value)) == value
