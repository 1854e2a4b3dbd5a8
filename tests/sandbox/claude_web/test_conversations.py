"""Conversations as trees: branches by parent, retries, names, lists, deletion."""

from typing import Any

from sandbox.claude_web import ROOT, ClaudeWebSimulator, Script

from .client import Http, body, new_uuid, text_of, turn


async def test_a_conversation_made_beforehand_takes_messages_without_parameters(web: ClaudeWebSimulator, http: Http) -> None:
    uuid = new_uuid()
    sent = {"uuid": uuid, "name": "", "include_conversation_preferences": True, "is_temporary": False}
    path = f"{http.organization}/chat_conversations"
    status, made = await http.call("POST", path, sent)
    assert (status, made["uuid"], made["current_leaf_message_uuid"]) == (201, uuid, None)
    status, refused = await http.call("POST", path, sent)
    assert status == 409
    assert "could not be created" in refused["error"]["message"]
    await http.say(uuid)
    assert await http.texts(uuid) == ["hello", "You said: hello"]


async def test_a_message_without_a_parent_goes_on_where_the_conversation_stands(http: Http) -> None:
    uuid = await http.begin("one")
    await http.say(uuid, "two")
    assert await http.texts(uuid) == ["one", "You said: one", "two", "You said: two"]


async def test_a_parent_makes_a_branch_and_the_tree_has_all_of_them(web: ClaudeWebSimulator, http: Http) -> None:
    uuid = await http.begin("one")
    fork = web.branch(uuid)[-1].uuid
    await http.say(uuid, "two", parent_message_uuid=fork)
    await http.say(uuid, "two, edited", parent_message_uuid=fork)
    assert await http.texts(uuid) == ["one", "You said: one", "two, edited", "You said: two, edited"]
    assert len(web.asked()[-1].notes["branch"]) == 3
    tree = await http.tree(uuid)
    assert [message["index"] for message in tree["chat_messages"]] == list(range(6))
    assert sum(message["parent_message_uuid"] == fork for message in tree["chat_messages"]) == 2
    _, shown = await http.call("GET", http.conversation(uuid))
    assert [message["text"] for message in shown["chat_messages"]] == await http.texts(uuid)


async def test_the_shown_branch_can_be_chosen(web: ClaudeWebSimulator, http: Http) -> None:
    uuid = await http.begin("one")
    leaf = web.branch(uuid)[-1].uuid
    await http.say(uuid, "other", parent_message_uuid=ROOT)
    path, sent = http.conversation(uuid, "/current_leaf_message_uuid"), {"current_leaf_message_uuid": leaf}
    assert await http.call("PUT", path, sent) == (200, sent)
    assert await http.texts(uuid) == ["one", "You said: one"]
    assert (await http.call("PUT", path, {"current_leaf_message_uuid": new_uuid()}))[0] == 404


async def test_a_retry_gives_the_same_message_one_more_answer(web: ClaudeWebSimulator, http: Http) -> None:
    uuid = await http.begin("one")
    human, first = web.branch(uuid)
    web.script(Script(text="better"), match="one")
    second = new_uuid()
    events = await http.retry(uuid, human.uuid, turn_message_uuids={"assistant_message_uuid": second})
    assert (events[0].data["message"]["uuid"], text_of(events)) == (second, "better")
    assert await http.texts(uuid) == ["one", "better"]
    assert {each.uuid for each in web.conversations[uuid].messages.values()} == {human.uuid, first.uuid, second}
    sent = {"prompt": "", "parent_message_uuid": first.uuid}
    assert (await http.call("POST", http.conversation(uuid, "/retry_completion"), sent))[0] == 400


async def test_a_broken_retry_leaves_the_message_and_its_first_answer(web: ClaudeWebSimulator, http: Http) -> None:
    uuid = await http.begin("one")
    web.script(Script(ending="eof", after=1, stored="nothing"))
    await http.retry(uuid, web.branch(uuid)[0].uuid)
    assert await http.texts(uuid) == ["one", "You said: one"]


async def test_a_turn_sent_twice_is_refused_and_stored_once(web: ClaudeWebSimulator, http: Http) -> None:
    uuid = await http.begin("one")
    leaf = web.branch(uuid)[-1].uuid
    again = body("two", parent_message_uuid=leaf, turn_message_uuids=turn(new_uuid(), new_uuid()))
    path = http.conversation(uuid, "/completion")
    assert (await http.call("POST", path, again))[0] == 200
    status, refused = await http.call("POST", path, again)
    assert (status, refused["error"]["details"]["error_code"]) == (409, "duplicate_human_message_uuid")
    other = turn(new_uuid(), again["turn_message_uuids"]["assistant_message_uuid"])
    status, refused = await http.call("POST", path, body("two", parent_message_uuid=leaf, turn_message_uuids=other))
    assert (status, refused["error"]["details"]["error_code"]) == (409, "duplicate_assistant_message_uuid")
    assert len(web.branch(uuid)) == 4


async def test_the_list_is_newest_first_and_pages(http: Http) -> None:
    uuids = [await http.begin(f"number {number}") for number in range(3)]
    hidden = new_uuid()
    await http.say(hidden, create_conversation_params={"is_temporary": True})
    await http.say(uuids[0], "again")
    path = f"{http.organization}/chat_conversations"
    _, listed = await http.call("GET", path)
    assert [each["uuid"] for each in listed] == [uuids[0], uuids[2], uuids[1]]
    _, page = await http.call("GET", path, limit="1", offset="1")
    assert [each["uuid"] for each in page] == [uuids[2]]
    assert "chat_messages" not in listed[0]
    assert (await http.call("GET", path, limit="many"))[0] == 400


async def test_a_name_a_star_and_settings_can_be_changed(http: Http) -> None:
    uuid = await http.begin()
    sent = {"name": "New name", "is_starred": True, "settings": {"enabled_web_search": False}}
    status, changed = await http.call("PUT", http.conversation(uuid), sent)
    assert status == 200
    assert {name: changed[name] for name in sent} == sent
    assert (await http.call("PUT", http.conversation(uuid), {"name": 7}))[0] == 400


async def test_a_deleted_conversation_is_gone(web: ClaudeWebSimulator, http: Http) -> None:
    uuid, other = await http.begin(), await http.begin()
    assert await http.call("DELETE", http.conversation(uuid)) == (204, b"")
    web.lose(other)
    for path in (http.conversation(uuid), http.conversation(other)):
        for method in ("GET", "PUT", "DELETE"):
            status, refused = await http.call(method, path)
            assert (status, refused["error"]["type"]) == (404, "not_found_error")
    assert (await http.call("POST", http.conversation(uuid, "/completion"), body()))[0] == 404
    assert (await http.call("POST", http.conversation(uuid, "/stop_response")))[0] == 404


async def test_what_makes_no_sense_is_refused(web: ClaudeWebSimulator, http: Http) -> None:
    uuid = await http.begin()
    same = new_uuid()
    wrong: list[dict[str, Any]] = [
        body(""),
        body(prompt="x", parent_message_uuid=new_uuid()),
        body(prompt="x", parent_message_uuid="above"),
        body(prompt="x", turn_message_uuids=turn("mine", new_uuid())),
        body(prompt="x", turn_message_uuids=turn(same, same)),
        body(prompt="x", files=[new_uuid()]),
    ]
    for sent in wrong:
        status, refused = await http.call("POST", http.conversation(uuid, "/completion"), sent)
        assert (status, refused["error"]["type"]) == (400, "invalid_request_error"), sent
    async with http.session.post(http.conversation(uuid, "/completion"), data=b"{broken") as response:
        assert response.status == 400
    create = body(create_conversation_params={})
    assert (await http.call("POST", http.conversation(uuid, "/completion"), create))[0] == 409
    assert (await http.call("GET", http.conversation("not-a-uuid")))[0] == 400
    assert len(web.branch(uuid)) == 2
