"""Limits, sessions, the edge, organisations, models, server errors."""

import json

import aiohttp

from sandbox.claude_web import API_ORGANIZATION, ClaudeWebSimulator, Config, Organization, Script
from sandbox.faults import Rule

from .client import Http, body, new_uuid, open_http


async def refused(http: Http, prompt: str = "hello") -> tuple[int, str, dict[str, str], str]:
    """Ask in a new conversation; the status, content type, headers and body of what was answered."""
    path = http.conversation(new_uuid(), "/completion")
    async with http.session.post(path, json=body(prompt, create_conversation_params={})) as response:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return response.status, response.content_type, headers, await response.text()


async def test_a_used_up_quota_says_when_it_is_there_again(web: ClaudeWebSimulator, http: Http) -> None:
    resets_at = int(web.now()) + 100
    web.exhaust(resets_at)
    status, _, headers, text = await refused(http)
    error = json.loads(text)["error"]
    assert (status, error["type"]) == (429, "rate_limit_error")
    assert json.loads(error["message"])["resetsAt"] == resets_at
    assert 98 <= int(headers["retry-after"]) <= 100
    assert headers["anthropic-ratelimit-unified-reset"] == str(resets_at)
    assert not web.conversations
    web.exhaust(resets_at, retry_after=False)
    assert "retry-after" not in (await refused(http))[2]
    web.refill()
    await http.begin()


async def test_a_quota_counts_down_and_comes_back_with_its_window() -> None:
    now = 1_000_000.0
    async with ClaudeWebSimulator(Config(messages=2, clock=lambda: now)) as web:
        async for http in open_http(web):
            uuid = await http.begin()
            limits = [event.data["message_limit"] for event in await http.say(uuid) if event.name == "message_limit"]
            assert (limits[0]["type"], limits[0]["remaining"]) == ("within_limit", 0)
            assert limits[0]["windows"]["5h"] == {"status": "within_limit", "resets_at": 1_018_000, "utilization": 1.0}
            _, usage = await http.call("GET", f"{http.organization}/usage")
            assert usage["five_hour"]["utilization"] == 100.0
            assert (await refused(http))[0] == 429
            now += 5 * 3600
            await http.say(uuid)


async def test_the_limit_event_says_what_the_script_says(web: ClaudeWebSimulator, http: Http) -> None:
    windows = {"7d": {"status": "within_limit", "resets_at": 5, "utilization": 0.5}}
    web.script(Script(limit="approaching_limit", windows=windows))
    web.script(Script(limit_event=False))
    events = [event for _ in range(2) for event in await http.say(new_uuid(), create_conversation_params={})]
    limits = [event.data["message_limit"] for event in events if event.name == "message_limit"]
    assert [(limit["type"], limit["windows"]) for limit in limits] == [("approaching_limit", windows)]


async def test_a_hit_limit_comes_with_a_window_that_is_over(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(limit="hit_limit"))
    events = await http.say(new_uuid(), create_conversation_params={})
    limit = next(event.data["message_limit"] for event in events if event.name == "message_limit")
    assert limit["windows"]["5h"]["status"] == "over_limit"
    assert limit["resetsAt"] == limit["windows"]["5h"]["resets_at"] > web.now()


async def test_a_session_runs_out_and_another_begins(web: ClaudeWebSimulator, http: Http) -> None:
    for status, kind in ((403, "permission_error"), (401, "authentication_error")):
        web.expire(status)
        answered, content, _, text = await refused(http)
        error = json.loads(text)["error"]
        assert (answered, content, error["type"]) == (status, "application/json", kind)
        assert error["details"]["error_code"] == "account_session_invalid"
    web.renew("sk-ant-sid02-other")
    assert (await refused(http))[0] == 403
    async for renewed in open_http(web):
        await renewed.begin()
    async with aiohttp.ClientSession(web.url) as stranger, stranger.get("/api/organizations") as response:
        assert response.status == 403


async def test_the_edge_answers_with_a_page(web: ClaudeWebSimulator, http: Http) -> None:
    web.block()
    status, content, headers, text = await refused(http)
    assert (status, content, headers["cf-mitigated"]) == (403, "text/html", "challenge")
    assert "Just a moment" in text
    assert (await http.call("GET", "/api/organizations"))[0] == 403
    web.block(False)
    assert (await http.call("GET", "/api/organizations"))[0] == 200


async def test_one_completion_can_meet_a_page_an_error_or_nothing(web: ClaudeWebSimulator, http: Http) -> None:
    web.script(Script(status=403, form="html"))
    web.script(Script(status=502, form="html"))
    web.script(Script(status=529, headers={"retry-after": "7"}))
    web.script(Script(status=413, error_message="too long", error_type="odd_error", error_code="odd"))
    web.script(Script(form="empty"))
    got = [await refused(http) for _ in range(5)]
    assert [(status, content) for status, content, _, _ in got] == [
        (403, "text/html"),
        (502, "text/html"),
        (529, "application/json"),
        (413, "application/json"),
        (200, "text/event-stream"),
    ]
    assert got[2][2]["retry-after"] == "7"
    error = json.loads(got[3][3])["error"]
    assert (error["type"], error["message"], error["details"]["error_code"]) == ("odd_error", "too long", "odd")
    assert got[4][3] == ""
    assert not web.conversations


async def test_the_account_has_several_organisations_and_only_one_can_chat(web: ClaudeWebSimulator, http: Http) -> None:
    status, listed = await http.call("GET", "/api/organizations")
    assert status == 200
    assert [(each["uuid"], "chat" in each["capabilities"]) for each in listed] == [
        (API_ORGANIZATION, False),
        (web.organization, True),
    ]
    for uuid in (API_ORGANIZATION, new_uuid()):
        status, answer = await http.call("GET", f"/api/organizations/{uuid}/chat_conversations")
        assert (status, answer["error"]["type"]) == (403, "permission_error")
    assert (await http.call("GET", "/api/organizations/mine/chat_conversations"))[0] == 400


async def test_a_conversation_belongs_to_its_organisation() -> None:
    both = (Organization(new_uuid(), "One"), Organization(new_uuid(), "Two"))
    async with ClaudeWebSimulator(Config(organizations=both)) as web:
        async for http in open_http(web):
            uuid = await http.begin()
            path = f"/api/organizations/{both[1].uuid}/chat_conversations"
            assert await http.call("GET", path) == (200, [])
            assert (await http.call("GET", f"{path}/{uuid}"))[0] == 404


async def test_a_model_that_the_plan_does_not_have_is_refused() -> None:
    async with ClaudeWebSimulator(Config(models_refused=frozenset({"claude-opus-4-6"}))) as web:
        async for http in open_http(web):
            sent = body(model="claude-opus-4-6", create_conversation_params={})
            status, answer = await http.call("POST", http.conversation(new_uuid(), "/completion"), sent)
            assert (status, answer["error"]["message"]) == (403, "This model isn't available right now")
            uuid = await http.begin()
            assert (await http.tree(uuid))["model"] == "claude-sonnet-4-6"


async def test_a_fault_after_a_change_hides_that_it_took_effect(web: ClaudeWebSimulator, http: Http) -> None:
    uuid = await http.begin()
    web.faults.set(Rule("status", method="DELETE", moment="after", status=500, body="<html>"))
    assert (await http.call("DELETE", http.conversation(uuid)))[0] == 500
    assert uuid not in web.conversations
    call = web.calls.matching("DELETE")[0]
    assert (call.fault, call.notes["outcome"]) == ("status-after", "fault")


async def test_what_is_not_there_is_refused_in_json_and_secrets_are_not_kept(web: ClaudeWebSimulator, http: Http) -> None:
    assert (await http.call("GET", "/api/nothing"))[1]["error"]["type"] == "not_found_error"
    assert (await http.call("DELETE", "/api/organizations"))[0] == 405
    call = web.calls.after()[0]
    assert "cookie" in call.notes["headers"]
    assert call.notes["cookies"] == ["sessionKey"]
    assert web.session_key not in json.dumps(call.as_json())
