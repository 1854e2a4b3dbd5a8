"""Sessions: history, branches, and first messages that fail."""

import asyncio
import json
from contextlib import aclosing

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Script
from sandbox.faults import Rule
from shared.claude_web import (
    ROOT_PARENT,
    APIError,
    BrokenOffError,
    ClaudeWebAPIError,
    ConversationNotFoundError,
    ModelOutput,
    NetworkError,
    TextAttachment,
    TurnIds,
)
from tests.shared.claude_web.house import connected, first

BROKEN = Script(text="one two three four", deltas=4, ending="cut", after=2, stored="partial")


async def test_each_message_names_the_answer_before_it() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        answers = [await chat.send_message(str(number)) for number in range(3)]
        bodies = [call.body for call in web.asked()]
        assert ["create_conversation_params" in body for body in bodies] == [True, False, False]
        assert [body.get("parent_message_uuid") for body in bodies] == [None, *(each.message_uuid for each in answers[:2])]
        assert [(each.role, each.text, each.parent) for each in chat.history] == [
            (message.sender, message.text, None if message.parent == ROOT_PARENT else message.parent)
            for message in web.branch(chat.cid)
        ]


async def test_the_history_of_a_stream_is_kept_once_its_last_state_is_there() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        async with aclosing(chat.send_message_stream("Hello!")) as states:
            async for state in states:
                assert len(chat.history) == (2 if state.whole else 0)
        assert [each.text for each in chat.history] == ["Hello!", "You said: Hello!"]


async def test_choosing_an_earlier_candidate_branches_from_it() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        for text in ("zero", "one", "two"):
            web.script(Script(text=text), match="question")
        chat = client.start_chat()
        await chat.send_message("question")
        await chat.retry()
        response = await chat.retry()
        assert [(each.index, each.text) for each in response.candidates] == [(0, "zero"), (1, "one"), (2, "two")]
        assert response.text == "two"
        chosen = chat.choose_candidate(1)
        assert chat.metadata.get("parent_message_uuid") == chosen.message_uuid
        assert [each.text for each in chat.history] == ["question", "one"]
        await chat.send_message("further")
        assert [message.text for message in web.branch(chat.cid)] == ["question", "one", "further", "You said: further"]
        tree = await client.read_tree(chat.cid)
        (question,) = tree.children(None)
        assert [each.text for each in tree.children(question.uuid)] == ["zero", "one", "two"]


async def test_a_candidate_of_a_streamed_answer_can_be_chosen() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        last = [state async for state in chat.send_message_stream("Hello!")][-1]
        assert chat.choose_candidate(0).message_uuid == last.message_uuid


async def test_a_choice_that_is_none_is_refused() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        with pytest.raises(RuntimeError, match="no answer yet"):
            chat.choose_candidate(0)
        with pytest.raises(RuntimeError, match="no answer yet"):
            await chat.retry()
        await chat.send_message("Hello!")
        for index in (-1, 1):
            with pytest.raises(IndexError):
                chat.choose_candidate(index)


async def test_metadata_of_any_answer_makes_a_branch_there() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        early = await chat.send_message("first")
        await chat.send_message("second")
        other = client.start_chat(metadata=json.loads(json.dumps(early.metadata)))
        await other.send_message("instead")
        assert [message.text for message in web.branch(chat.cid)][::2] == ["first", "instead"]


async def test_metadata_keeps_the_model_and_the_system_prompt_unless_others_are_given() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        saved = client.start_chat(model="claude-x", system_prompt="Be brief.").metadata
        await client.start_chat(metadata=saved).send_message("as it was")
        await client.start_chat(metadata=client.start_chat().metadata, model="claude-y", system_prompt="").send_message("new")
        await client.start_chat(metadata=client.start_chat(system_prompt="x").metadata, system_prompt="").send_message("none")
        assert [(call.body["model"], call.notes["style"]) for call in web.asked()] == [
            ("claude-x", "Be brief."),
            ("claude-y", None),
            ("claude-sonnet-4-6", None),
        ]


@pytest.mark.parametrize(
    "failing",
    [
        Script(status=500),
        Script(status=400),
        Script(status=429),
        Script(cut_before=True),
        Script(cut_before=True, stored="nothing"),
        BROKEN,
        Script(text="one two", ending="error", after=1),
        Script(text="one two", ending="eof", stored="nothing"),
    ],
)
async def test_after_a_first_message_that_failed_the_next_one_begins_the_conversation(failing: Script) -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        web.script(failing)
        with pytest.raises(ClaudeWebAPIError):
            await chat.send_message("first")
        assert chat.history == ()
        assert (await chat.send_message("second")).text == "You said: second"
        assert [message.text for message in web.branch(chat.cid)] == ["second", "You said: second"]


async def test_after_a_message_that_failed_the_next_one_follows_the_last_whole_answer() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        await chat.send_message("first")
        web.script(BROKEN)
        with pytest.raises(NetworkError):
            await chat.send_message("second")
        await chat.send_message("third")
        assert [message.text for message in web.branch(chat.cid)][::2] == ["first", "third"]


async def test_a_failed_retry_leaves_the_answer_that_was_there() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        await chat.send_message("first")
        web.script(BROKEN)
        with pytest.raises(NetworkError):
            await chat.retry()
        assert [each.text for each in chat.history] == ["first", "You said: first"]
        await chat.send_message("second")
        assert [message.text for message in web.branch(chat.cid)][:2] == ["first", "You said: first"]


async def test_a_session_saved_before_its_first_answer_finds_out_whether_the_conversation_is_there() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        saved = chat.metadata
        await chat.send_message("answered, but the process died before it could save that")
        await client.start_chat(metadata=saved).send_message("again")
        assert [message.text for message in web.branch(chat.cid)] == ["again", "You said: again"]


async def test_the_history_of_a_session_without_an_answer_is_empty() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        with pytest.raises(ConversationNotFoundError):
            await chat.load_history()
        await client.ensure_conversation(chat.cid)
        assert await chat.load_history() == ()


async def test_after_a_deletion_the_session_begins_anew() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        await chat.send_message("first")
        await chat.delete()
        assert chat.history == ()
        await chat.send_message("second")
        assert [message.text for message in web.branch(chat.cid)] == ["second", "You said: second"]


async def test_texts_may_go_along_without_an_upload() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        await client.generate_content("Read.", attachments=[TextAttachment("notes.txt", "Größe")])
        (question, _) = next(iter(web.conversations.values())).branch()
        assert list(question.attachments) == [
            {"extracted_content": "Größe", "file_name": "notes.txt", "file_size": 7, "file_type": "txt"}
        ]


async def test_a_turn_with_uuids_of_ones_own_is_found_again_after_a_crash() -> None:
    async with ClaudeWebSimulator() as web:
        conversation, ids = TurnIds.new().human, TurnIds.new()
        web.script(Script(text="one two three", deltas=3, ending="silence", after=2))
        async with connected(web) as client:
            stream = client.complete(conversation, "Hello!", create=True, ids=ids)
            await first(stream)
            await stream.aclose()
        async with connected(web) as client:
            tree = await client.read_tree(conversation)
            assert tree.messages[ids.human].text == "Hello!"
            cut_off = tree.messages[ids.assistant]
            assert (cut_off.complete, cut_off.stop_reason) == (False, "user_canceled")
            again = TurnIds.new()
            states = [state async for state in client.complete(conversation, "Hello!", ids=again)]
            assert (states[-1].human_uuid, states[-1].message_uuid) == (again.human, again.assistant)
            tree = await client.read_tree(conversation)
            answer = tree.messages[again.assistant]
            assert (answer.complete, answer.text) == (True, "You said: Hello!")
            assert [each.uuid for each in tree.path(again.assistant)] == [again.human, again.assistant]
            assert tree.leaf == again.assistant


async def test_the_text_that_is_read_is_the_text_that_was_streamed() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.default = Script(text="日本語😀 " * 300, tool="repl", thinking="Well.", split_bytes=True, unknown_events=True)
        answer = await client.generate_content("Hello!")
        tree = await client.read_tree(answer.conversation_id)
        assert tree.messages[answer.message_uuid].text == answer.text == "日本語😀 " * 300
        assert answer.thoughts == "Well."


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
async def test_any_line_end_in_pieces_of_any_size_gives_the_same_answer(newline: str) -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        web.default = Script.of({"text": "日本語😀", "newline": newline, "bytes_each": 7})
        assert (await client.generate_content("Hello!")).text == "日本語😀"


async def test_a_conversation_is_made_once() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        conversation = TurnIds.new().human
        assert await client.ensure_conversation(conversation, "Named") is True
        assert await client.ensure_conversation(conversation) is False
        assert (await client.get_conversation(conversation))["name"] == "Named"
        with pytest.raises(APIError) as raised:
            [_ async for _ in client.complete(conversation, "x", create=True)]
        assert raised.value.status_code == 409
        web.faults.set(Rule("status", status=400, path="chat_conversations", body={"error": {"message": "could not be created"}}))
        assert await client.ensure_conversation(TurnIds.new().human) is False
        web.faults.set(Rule("status", status=400, path="chat_conversations", body={"error": {"message": "no"}}))
        with pytest.raises(APIError):
            await client.ensure_conversation(TurnIds.new().human)


async def test_settings_are_changed_in_the_words_of_the_web_api() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        answer = await client.generate_content("Hello!")
        changed = await client.update_conversation_settings(answer.conversation_id, {"is_starred": True})
        assert changed["is_starred"] is True


async def test_an_answer_cut_off_in_the_middle_is_never_taken_for_whole() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        web.default = Script(text="one two three four", deltas=4, ending="eof", after=2)
        seen: list[ModelOutput] = []

        async def read() -> None:
            async for state in chat.send_message_stream("Hello!"):
                seen.append(state)

        with pytest.raises(BrokenOffError):
            await read()
        assert seen[-1].text
        assert not any(state.whole for state in seen)
        assert chat.metadata.get("parent_message_uuid") is None


async def test_two_clients_at_once_do_not_disturb_each_other() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as one, connected(web) as two:
        answers = await asyncio.gather(one.generate_content("one"), two.generate_content("two"))
        assert [answer.text for answer in answers] == ["You said: one", "You said: two"]


async def test_a_first_message_that_was_refused_costs_no_further_call() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat()
        before = len(web.calls)
        web.script(Script(status=400))
        with pytest.raises(APIError):
            await chat.send_message("first")
        await chat.send_message("second")
        assert len(web.calls) == before + 2


async def test_a_retry_names_the_question_and_asks_no_new_one() -> None:
    async with ClaudeWebSimulator() as web, connected(web) as client:
        chat = client.start_chat(model="claude-x", system_prompt="Be brief.")
        answer = await chat.send_message("Hello!")
        again = await chat.retry()
        body = web.asked()[1].body
        assert web.asked()[1].path.endswith("/retry_completion")
        assert (body["prompt"], body["parent_message_uuid"]) == ("", answer.human_uuid)
        assert body["turn_message_uuids"] == {"assistant_message_uuid": again.message_uuid}
        assert (body["model"], web.asked()[1].notes["style"]) == ("claude-x", "Be brief.")
