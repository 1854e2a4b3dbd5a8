"""Every error, raised by an answer that deserves it; and none of them tells the session key."""

import asyncio
import builtins
import json
import logging
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web

from sandbox.claude_web import ClaudeWebSimulator, Config, Script
from sandbox.faults import Rule
from shared.claude_web import (
    APIError,
    AuthenticationError,
    BrokenOffError,
    ClaudeClient,
    ClaudeWebAPIError,
    ConversationNotFoundError,
    File,
    FileDownloadError,
    FileUploadError,
    NetworkError,
    NotInitialisedError,
    OverloadedError,
    PermissionDeniedError,
    ProtocolError,
    QuotaExceededError,
    TimeoutError,  # noqa: A004 - the name is part of the interface
    Timeouts,
    TurnIds,
)
from shared.claude_web.failures import of_response
from tests.shared.claude_web.house import ORGANIZATION, answering, connected, serving

NOWHERE = "00000000-0000-4000-8000-00000000dead"
NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [401, 403])
async def test_an_expired_session_is_an_authentication_error(status: int) -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.expire(status)
        with pytest.raises(AuthenticationError) as raised:
            await client.generate_content("Hello!")
        assert raised.value.status_code == status


async def test_a_wrong_key_is_told_at_the_start_when_the_organisation_is_looked_for() -> None:
    async with ClaudeWebSimulator() as web:
        client = ClaudeClient("sk-wrong", base_url=web.url)
        with pytest.raises(AuthenticationError):
            await client.init()
        assert not client.connected


async def test_a_redirect_to_the_login_page_is_an_authentication_error_and_not_followed() -> None:
    async with answering(302, headers={"Location": "/login?from=x"}) as client:
        with pytest.raises(AuthenticationError, match="login"):
            await client.list_conversations()


async def test_any_other_redirect_is_not_followed() -> None:
    async with answering(307, headers={"Location": "https://elsewhere.example/"}) as client:
        with pytest.raises(APIError, match="redirect"):
            await client.list_conversations()


@pytest.mark.parametrize("key", ["", "sk ant", "sk;x", "sk\n", "schlüssel"])
def test_a_key_that_no_cookie_can_carry_is_refused_at_once(key: str) -> None:
    with pytest.raises(AuthenticationError):
        ClaudeClient(key)


async def test_a_quota_says_when_it_is_lifted() -> None:
    config = Config(messages=0, clock=NOW.timestamp)
    async with ClaudeWebSimulator(config) as web, connected(web, now=lambda: NOW) as client:
        reset = NOW + timedelta(hours=1)
        web.exhaust(reset.timestamp())
        with pytest.raises(QuotaExceededError) as raised:
            await client.generate_content("Hello!")
        assert raised.value.reset_at == reset
        assert raised.value.retry_after == 3600
        assert raised.value.status_code == 429


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "120"}, 120.0),
        ({"Retry-After": format_datetime(NOW + timedelta(seconds=600), usegmt=True)}, 600.0),
        ({"Retry-After": format_datetime(NOW - timedelta(seconds=600), usegmt=True)}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 30}, None),
        ({}, None),
    ],
)
async def test_a_quota_takes_the_header_if_the_body_says_nothing(headers: dict[str, str], seconds: float | None) -> None:
    body = '{"error":{"type":"rate_limit_error","message":"no"}}'
    async with answering(429, body, headers, now=lambda: NOW) as client:
        with pytest.raises(QuotaExceededError) as raised:
            await client.list_conversations()
    assert raised.value.retry_after == seconds
    assert raised.value.reset_at == (None if seconds is None else NOW + timedelta(seconds=seconds))


async def test_a_limit_in_the_stream_that_leaves_no_answer_is_a_quota() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.default = Script(text="", limit="exceeded_limit")
        with pytest.raises(QuotaExceededError) as raised:
            await client.generate_content("Hello!")
        assert raised.value.reset_at is not None


async def test_a_conversation_that_is_not_there_is_told_by_every_call_on_it() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat(metadata={"conversation_id": NOWHERE, "parent_message_uuid": NOWHERE})
        with pytest.raises(ConversationNotFoundError):
            await chat.send_message("Are you there?")
        with pytest.raises(ConversationNotFoundError):
            await client.get_conversation(NOWHERE)
        with pytest.raises(ConversationNotFoundError):
            await client.rename_conversation(NOWHERE, "x")
        with pytest.raises(ConversationNotFoundError) as raised:
            await client.delete_conversation(NOWHERE)
        assert raised.value.status_code == 404
        assert not await client.stop_response(NOWHERE)


async def test_what_is_no_uuid_is_not_sent() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        calls = len(web.calls)
        with pytest.raises(ValueError, match="UUID"):
            await client.delete_conversation("../../organizations")
        with pytest.raises(ValueError, match="UUID"):
            client.start_chat(metadata={"conversation_id": "x"})
        with pytest.raises(ValueError, match="conversation"):
            client.start_chat(metadata={})
        assert len(web.calls) == calls


async def test_a_short_call_that_takes_too_long_is_a_timeout() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        await client.init(timeout=0.05)
        web.faults.set(Rule("hang", path="chat_conversations"))
        with pytest.raises(TimeoutError) as raised:
            await client.list_conversations()
        assert isinstance(raised.value, builtins.TimeoutError)
        assert isinstance(raised.value, ClaudeWebAPIError)


async def test_an_answer_that_falls_silent_is_a_timeout() -> None:
    async with ClaudeWebSimulator() as web, connected(web, timeouts=Timeouts(silence=0.05)) as client:
        web.default = Script(text="one two three four", deltas=4, ending="silence", after=2)
        with pytest.raises(TimeoutError):
            await client.generate_content("Hello!")


async def test_pings_are_a_sign_of_life_but_not_for_ever() -> None:
    async with ClaudeWebSimulator() as web, connected(web, timeouts=Timeouts(silence=4.0)) as client:
        web.default = Script(text="one", think=6.0, pings=0.4)
        assert (await client.generate_content("Hello!")).text == "one"
    async with ClaudeWebSimulator() as web, connected(web, timeouts=Timeouts(answer=0.3)) as client:
        web.default = Script(text="one two", ending="silence", pings=0.05)
        with pytest.raises(TimeoutError):
            await client.generate_content("Hello!")


@pytest.mark.parametrize(
    ("status", "expected"), [(400, APIError), (413, APIError), (500, APIError), (503, APIError), (529, OverloadedError)]
)
async def test_other_statuses_are_api_errors_with_their_status(status: int, expected: type[APIError]) -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.default = Script(status=status)
        with pytest.raises(expected) as raised:
            await client.generate_content("Hello!")
        assert type(raised.value) is expected
        assert raised.value.status_code == status


async def test_a_uuid_that_is_taken_is_told_by_its_code() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        answer = await client.generate_content("Hello!")
        ids = TurnIds.of(answer.human_uuid, NOWHERE)
        with pytest.raises(APIError) as raised:
            [_ async for _ in client.complete(answer.conversation_id, "Again", ids=ids)]
        assert (raised.value.status_code, raised.value.code) == (409, "duplicate_human_message_uuid")


async def test_a_model_that_the_plan_does_not_have_is_denied_without_holding_back_other_calls() -> None:
    async with ClaudeWebSimulator(Config(models_refused=frozenset({"claude-dear"}))) as web, connected(web) as client:
        with pytest.raises(PermissionDeniedError, match="isn't available") as raised:
            await client.generate_content("Hello!", model="claude-dear")
        assert (raised.value.status_code, raised.value.kind) == (403, "permission_error")
        assert (await client.generate_content("Hello!")).text


async def test_a_refused_connection_is_a_network_error() -> None:
    async with ClaudeWebSimulator() as web:
        url = web.url
    async with ClaudeClient("sk-test", ORGANIZATION, base_url=url) as client:
        with pytest.raises(NetworkError) as raised:
            await client.list_conversations()
        assert raised.value.status_code is None


async def test_an_answer_cut_off_before_or_within_is_a_network_error() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.script(Script(cut_before=True))
        with pytest.raises(NetworkError):
            await client.generate_content("Hello!")
        web.script(Script(text="one two three four", deltas=4, ending="cut", after=2))
        with pytest.raises(NetworkError):
            await client.generate_content("Hello!")


async def test_a_stream_that_ends_without_its_end_is_broken_off() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.default = Script(text="one two three four", deltas=4, ending="eof", after=2)
        with pytest.raises(BrokenOffError):
            await client.generate_content("Hello!")


async def test_an_error_in_the_stream_is_raised_and_not_an_empty_success() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.default = Script(text="one two", ending="error", after=1, error_type="overloaded_error")
        with pytest.raises(OverloadedError) as raised:
            await client.generate_content("Hello!")
        assert raised.value.status_code is None


async def test_an_empty_stream_is_not_an_empty_success() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.default = Script(form="empty")
        with pytest.raises(BrokenOffError):
            await client.generate_content("Hello!")


@pytest.mark.parametrize("body", ["<html>no JSON</html>", "[" * 100_000, "{}", "[1]"])
async def test_an_answer_in_another_form_is_a_protocol_error(body: str) -> None:
    async with answering(200, body) as client:
        with pytest.raises(ProtocolError):
            await client.list_conversations()


async def test_a_page_in_place_of_a_stream_is_a_protocol_error() -> None:
    async with answering(200, "<html></html>", {"Content-Type": "text/html"}) as client:
        with pytest.raises(ProtocolError, match="text/html"):
            await client.generate_content("Hello!")


async def test_a_conversation_in_another_form_is_a_protocol_error() -> None:
    for body in ("[]", '{"uuid": "x"}', '{"uuid": "x", "chat_messages": [{}]}'):
        async with answering(200, body) as client:
            with pytest.raises(ProtocolError):
                await client.read_tree(NOWHERE)


async def test_a_file_that_is_too_large_is_an_upload_error() -> None:
    async with ClaudeWebSimulator(Config(largest_file=10)) as web, connected(web) as client:
        with pytest.raises(FileUploadError, match=r"big\.txt") as raised:
            await client.generate_content("Read this.", files=[File(b"x" * 11, "big.txt")])
        assert raised.value.status_code == 413


async def test_an_upload_answered_without_a_uuid_is_an_upload_error() -> None:
    async with answering(200, "{}") as client:
        with pytest.raises(FileUploadError):
            await client.upload_file(NOWHERE, b"x")


async def test_a_file_that_is_not_there_is_a_download_error() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        with pytest.raises(FileDownloadError) as raised:
            await client.download_file(NOWHERE, "nothing.csv")
        assert raised.value.status_code == 404


async def test_a_client_that_was_not_opened_or_was_closed_says_so() -> None:
    async with ClaudeWebSimulator() as web:
        client = ClaudeClient(web.session_key, web.organization, base_url=web.url)
        with pytest.raises(NotInitialisedError):
            await client.list_conversations()
        await client.init()
        await client.close()
        await client.close()
        with pytest.raises(RuntimeError, match=r"init\(\)"):
            await client.generate_content("Hello!")
        await client.init()
        assert (await client.generate_content("Hello!")).text
        await client.close()


async def test_an_account_that_cannot_chat_is_told() -> None:
    async def only_api(request: web.Request) -> web.StreamResponse:
        return web.json_response([{"uuid": ORGANIZATION, "capabilities": ["api"]}])

    async with serving(only_api) as url:
        with pytest.raises(APIError, match="no organisation"):
            await ClaudeClient("sk-test", base_url=url).init()


async def test_the_session_key_is_in_no_error_no_repr_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    key = "sk-ant-sid01-very-secret"
    caplog.set_level(logging.DEBUG)

    async def echo(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("completion"):
            raise ConnectionAbortedError
        message = f"bad cookie {request.headers['Cookie']}"
        return web.json_response({"error": {"type": "x", "message": message}}, status=int(request.query.get("s", "500")))

    async with serving(echo) as url, ClaudeClient(key, ORGANIZATION, base_url=url) as client:
        caught: list[BaseException] = []
        for call in (client.list_conversations(), client.generate_content("Hello!"), client.read_tree(NOWHERE)):
            with pytest.raises(ClaudeWebAPIError) as raised:
                await call
            caught.append(raised.value)
        said = [repr(client), repr(vars(client)["_transport"])]
        said += ["".join(traceback.format_exception(each)) + repr(each) + repr(vars(each)) for each in caught]
        said.append(caplog.text)
    assert not [text for text in said if "very-secret" in text]
    assert "[session key]" in str(caught[0])


async def test_closing_ends_what_is_under_way() -> None:
    async with ClaudeWebSimulator() as web:
        client = ClaudeClient(web.session_key, web.organization, base_url=web.url)
        await client.init()
        web.faults.set(Rule("hang", path="chat_conversations"))
        listing = asyncio.create_task(client.list_conversations())
        await web.wait_for(lambda: web.calls.matching("GET", "chat_conversations"))
        await client.close()
        with pytest.raises(NetworkError):
            await listing


def test_the_body_of_an_error_may_be_anything() -> None:
    for body in ("", "null", "[]", '{"error":null}', '{"error":{"message":7,"type":[]}}', "x" * 10_000, "[" * 10_000):
        for status in (300, 400, 401, 403, 404, 429, 500, 529):
            error = of_response(status, {}, body, NOW)
            assert len(str(error)) < 600
    hostile = json.dumps({"error": {"message": json.dumps({"resetsAt": 1e300})}})
    assert isinstance(of_response(429, {}, hostile, NOW), QuotaExceededError)
