"""What goes over the wire besides the bodies: an honest face, a key that stays where it belongs, a proxy that is used."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from sandbox.claude_web import ClaudeWebSimulator, Config, Script
from shared.claude_web import ClaudeClient, ClaudeWebAPIError, NetworkError, Place
from tests.shared.claude_web.house import ORGANIZATION, connected, serving

# What only a browser sends, or what would say that we were claude.ai's own page.
NEVER = {
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "origin",
    "referer",
    "accept-language",
    "anthropic-client-platform",
}


async def test_the_client_says_what_it_is_and_sends_nothing_that_only_a_browser_would() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        answer = await client.generate_content("Hello!", files=[b"x"])
        await client.list_conversations()
        await client.delete_conversation(answer.conversation_id)
        for call in web.calls:
            assert call.notes["user_agent"].startswith("claude_web/")
            assert "Mozilla" not in call.notes["user_agent"]
            assert not {name.lower() for name in call.notes["headers"]} & NEVER
            assert set(call.notes["cookies"]) <= {"sessionKey", "lastActiveOrg"}


async def test_a_completion_has_the_form_that_was_recorded() -> None:
    async with ClaudeWebSimulator() as web, connected(web, place=Place("de-DE", "Europe/Berlin"), tools=()) as client:
        answer = await client.generate_content("Hello!")
        body = web.asked()[0].body
        assert body == {
            "prompt": "Hello!",
            "model": "claude-sonnet-4-6",
            "rendering_mode": "messages",
            "locale": "de-DE",
            "timezone": "Europe/Berlin",
            "personalized_styles": [
                {
                    "type": "default",
                    "key": "Default",
                    "name": "Normal",
                    "nameKey": "normal_style_name",
                    "prompt": "Normal\n",
                    "summary": "Default responses from Claude",
                    "summaryKey": "normal_style_summary",
                    "isDefault": True,
                }
            ],
            "attachments": [],
            "files": [],
            "sync_sources": [],
            "tools": [],
            "turn_message_uuids": {"human_message_uuid": answer.human_uuid, "assistant_message_uuid": answer.message_uuid},
            "create_conversation_params": {
                "name": "",
                "model": "claude-sonnet-4-6",
                "include_conversation_preferences": True,
                "is_temporary": False,
                "enabled_imagine": True,
            },
        }


@pytest.mark.parametrize(
    "address",
    [
        "http://claude.ai",
        "ftp://claude.ai",
        "claude.ai",
        "https://user@claude.ai",
        "https://claude.ai/?x=1",
        "http://192.168.0.1",
    ],
)
def test_the_key_is_not_sent_in_the_clear_nor_to_a_strange_address(address: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        ClaudeClient("sk-test", base_url=address)


@pytest.mark.parametrize("address", ["https://claude.ai", "http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"])
def test_good_addresses(address: str) -> None:
    ClaudeClient("sk-test", base_url=address)


def test_an_organisation_is_a_uuid() -> None:
    with pytest.raises(ValueError, match="UUID"):
        ClaudeClient("sk-test", "a; sessionKey=b")


@pytest.mark.parametrize("address", ["socks5://u:secret@127.0.0.1:1", "127.0.0.1:1", "http://"])
def test_a_proxy_of_another_kind_is_refused_without_telling_its_password(address: str) -> None:
    with pytest.raises(ValueError, match="proxy") as raised:
        ClaudeClient("sk-test", proxy=address)
    assert "secret" not in str(raised.value)


async def test_everything_goes_through_the_proxy() -> None:
    seen: list[tuple[str, str | None]] = []

    async def pass_on(request: web.Request) -> web.StreamResponse:
        seen.append((request.path, request.headers.get("Proxy-Authorization")))
        headers = {name: value for name, value in request.headers.items() if name not in ("Host", "Proxy-Authorization")}
        async with (
            aiohttp.ClientSession(auto_decompress=False) as session,
            session.request(request.method, request.url, data=await request.read(), headers=headers) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    async with (
        ClaudeWebSimulator() as simulator,
        serving(pass_on) as proxy,
        connected(simulator, proxy=proxy.replace("//", "//user:pass@")) as client,
    ):
        answer = await client.generate_content("Hello!", files=[b"x"])
        await client.delete_conversation(answer.conversation_id)
    assert answer.text == "You said: Hello!"
    assert len(seen) == len(simulator.calls)
    assert {credentials for _, credentials in seen} == {f"Basic {base64.b64encode(b'user:pass').decode()}"}


async def test_a_proxy_that_is_not_there_is_a_network_error_and_is_not_gone_round() -> None:
    async with ClaudeWebSimulator() as simulator:
        async with ClaudeWebSimulator() as gone:
            nowhere = gone.url
        proxy = nowhere.replace("//", "//user:pass@")
        async with ClaudeClient("sk-test", ORGANIZATION, base_url=simulator.url, proxy=proxy) as client:
            with pytest.raises(NetworkError) as raised:
                await client.generate_content("Hello!")
        assert "pass" not in str(raised.value)
        assert len(simulator.calls) == 0


async def test_a_proxy_of_the_environment_is_not_used_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with ClaudeWebSimulator() as web, connected(web) as client:
        assert (await client.generate_content("Hello!")).text


async def test_nothing_is_tried_again_by_itself() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        for script in (Script(status=500), Script(status=529), Script(status=429), Script(cut_before=True)):
            web.clear()
            web.script(script)
            before = len(web.asked())
            with pytest.raises(ClaudeWebAPIError):
                await client.generate_content("Hello!")
            assert len(web.asked()) == before + 1


async def test_the_organisation_that_can_chat_is_taken_though_another_is_listed_first() -> None:
    async with ClaudeWebSimulator(Config()) as web, connected(web) as client:
        listed = await client.get_organizations()
        assert listed[0]["uuid"] != web.organization
        assert client.organization_id == web.organization


def test_the_package_needs_aiohttp_and_nothing_else_of_ours() -> None:
    """Imported alone in a new process, it loads no other module of the project and none of its other libraries."""
    code = (
        "import sys, shared.claude_web\n"
        "ours = {name for name in sys.modules if name.startswith(('shared.', 'bots', 'sandbox', 'migrations'))}\n"
        "others = {'pydantic', 'sqlalchemy', 'anthropic', 'discord', 'structlog', 'httpx2'} & set(sys.modules)\n"
        "print(sorted(name for name in ours if not name.startswith('shared.claude_web')), sorted(others))\n"
    )
    root = Path(__file__).resolve().parents[3]
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, env={**os.environ}, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[] []"
