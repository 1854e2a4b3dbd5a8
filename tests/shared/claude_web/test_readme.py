"""Every example of the interface that this client keeps, as a user would write it."""

import json
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Config, Script
from shared.claude_web import (
    APIError,
    AuthenticationError,
    ClaudeClient,
    ConversationNotFoundError,
    QuotaExceededError,
    TimeoutError,  # noqa: A004 - the name is part of the interface
    Timeouts,
    set_log_level,
)
from shared.claude_web.constants import Model
from tests.shared.claude_web.house import connected


@pytest.fixture
async def web() -> AsyncGenerator[ClaudeWebSimulator]:
    async with ClaudeWebSimulator() as web:
        yield web


@pytest.fixture
async def client(web: ClaudeWebSimulator) -> AsyncGenerator[ClaudeClient]:
    async with connected(web) as client:
        yield client


async def test_initialisation_by_hand(web: ClaudeWebSimulator) -> None:
    client = ClaudeClient(web.session_key, web.organization, base_url=web.url)
    await client.init(timeout=30, auto_close=False, close_delay=300)
    response = await client.generate_content("Hello!")
    await client.close()
    assert response.text == "You said: Hello!"


async def test_initialisation_as_a_context(web: ClaudeWebSimulator, capsys: pytest.CaptureFixture[str]) -> None:
    async with ClaudeClient(web.session_key, web.organization, base_url=web.url) as client:
        response = await client.generate_content("Hello!")
        print(response.text)  # noqa: T201 - as the example does
    assert capsys.readouterr().out == "You said: Hello!\n"


async def test_the_organisation_is_found_when_it_is_not_given(web: ClaudeWebSimulator, client: ClaudeClient) -> None:
    assert client.organization_id == web.organization


async def test_generate_content(client: ClaudeClient) -> None:
    response = await client.generate_content("Explain quantum entanglement simply.")
    assert str(response) == response.text == "You said: Explain quantum entanglement simply."


async def test_generate_content_with_files(
    web: ClaudeWebSimulator, client: ClaudeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7 report")
    (tmp_path / "chart.png").write_bytes(b"\x89PNG chart")
    await client.generate_content("Summarise this PDF and describe the chart image.", files=["report.pdf", Path("chart.png")])
    sent = [(file.name, file.content_type, file.data) for file in web.files.values()]
    assert sent == [("report.pdf", "application/pdf", b"%PDF-1.7 report"), ("chart.png", "image/png", b"\x89PNG chart")]
    (asked,) = web.conversations.values()
    assert [file["file_name"] for file in asked.branch()[0].files] == ["report.pdf", "chart.png"]


async def test_multi_turn_conversations(web: ClaudeWebSimulator, client: ClaudeClient, tmp_path: Path) -> None:
    web.script(Script(text="Your name is Alice."), match="What is my name?")
    chat = client.start_chat()
    r1 = await chat.send_message("My name is Alice.")
    r2 = await chat.send_message("What is my name?")
    assert r2.text == "Your name is Alice."
    sheet = tmp_path / "sales_q1.csv"
    sheet.write_text("month,sales\n")
    r3 = await chat.send_message("Analyse this spreadsheet and create a bar chart.", files=[str(sheet)])
    branch = [message.uuid for message in web.branch(chat.cid)]
    assert branch[1::2] == [r1.message_uuid, r2.message_uuid, r3.message_uuid]
    assert web.asked()[-1].notes["branch"] == branch[:-1]
    assert len(web.conversations) == 1


async def test_resume_a_previous_conversation(web: ClaudeWebSimulator, tmp_path: Path) -> None:
    web.script(Script(text="The secret word is BANANA."), match="What was the secret word?")
    async with connected(web) as client:
        chat = client.start_chat()
        await chat.send_message("Remember: the secret word is BANANA.")
        saved = chat.metadata
        (tmp_path / "session.json").write_text(json.dumps(saved))

    async with connected(web) as client:
        saved = json.loads((tmp_path / "session.json").read_text())
        previous_chat = client.start_chat(metadata=saved)
        r = await previous_chat.send_message("What was the secret word?")
        assert r.text == "The secret word is BANANA."
        history = await previous_chat.load_history()
    assert [message.text for message in web.branch(chat.cid)] == [message.text for message in history]
    assert len(history) == 4


async def test_delete_a_conversation(web: ClaudeWebSimulator, client: ClaudeClient) -> None:
    chat = client.start_chat()
    await chat.send_message("This is temporary.")
    await client.delete_conversation(chat.cid)
    assert web.conversations == {}


async def test_delete_a_conversation_through_the_chat(web: ClaudeWebSimulator, client: ClaudeClient) -> None:
    chat = client.start_chat()
    await chat.send_message("This is temporary.")
    await chat.delete()
    assert web.conversations == {}


async def test_streaming_mode(web: ClaudeWebSimulator, client: ClaudeClient, capsys: pytest.CaptureFixture[str]) -> None:
    web.default = Script(words=500)
    chunks = 0
    async for chunk in client.generate_content_stream("Write a 500-word short story about a time-travelling librarian."):
        print(chunk.text_delta, end="", flush=True)  # noqa: T201 - as the example does
        chunks += 1
    assert capsys.readouterr().out == web.asked()[0].notes["text"]
    assert chunks > 100


async def test_streaming_mode_inside_a_chat(
    web: ClaudeWebSimulator, client: ClaudeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    chat = client.start_chat()
    async for chunk in chat.send_message_stream("Explain async/await in Python."):
        print(chunk.text_delta, end="", flush=True)  # noqa: T201 - as the example does
    assert capsys.readouterr().out == "You said: Explain async/await in Python."
    r = await chat.send_message("Give me a code example.")
    assert r.text == "You said: Give me a code example."
    assert len(web.branch(chat.cid)) == 4


async def test_select_a_language_model(web: ClaudeWebSimulator, client: ClaudeClient) -> None:
    await client.generate_content("What model are you?", model=Model.OPUS)
    await client.generate_content("What model are you?", model="claude-sonnet-4-6")
    chat = client.start_chat(model=Model.HAIKU)
    await chat.send_message("Fast reply please.")
    await chat.send_message("And now with another.", model="claude-of-the-future")
    models = [call.body["model"] for call in web.asked()]
    assert models == ["claude-opus-4-6", "claude-sonnet-4-6", "claude-haiku-4-5-20251001", "claude-of-the-future"]


async def test_the_models_of_the_table_have_their_strings() -> None:
    assert {name: str(model) for name, model in Model.__members__.items()} == {
        "SONNET": "claude-sonnet-4-6",
        "OPUS": "claude-opus-4-6",
        "HAIKU": "claude-haiku-4-5-20251001",
        "SONNET_3_7": "claude-3-7-sonnet-20250219",
        "SONNET_3_5": "claude-3-5-sonnet-20241022",
        "HAIKU_3_5": "claude-3-5-haiku-20241022",
        "OPUS_3": "claude-3-opus-20240229",
    }


async def test_apply_a_system_prompt(web: ClaudeWebSimulator, client: ClaudeClient) -> None:
    terse = "You are a terse Python expert. Reply with code only, no prose."
    await client.generate_content("How do I reverse a list in Python?", system_prompt=terse)
    acme = "You are a helpful customer support agent for Acme Corp."
    chat = client.start_chat(system_prompt=acme)
    await chat.send_message("I need a refund.")
    await chat.send_message("Please.")
    await chat.send_message("Once in verse.", system_prompt="Answer in verse.")
    await client.generate_content("And without.")
    assert [call.notes["style"] for call in web.asked()] == [terse, acme, acme, "Answer in verse.", None]


async def test_download_files_from_the_sandbox(web: ClaudeWebSimulator, client: ClaudeClient, tmp_path: Path) -> None:
    web.default = Script(text="Done.", files={"fib.csv": "1\n1\n2\n"})
    chat = client.start_chat()
    await chat.send_message("Generate a CSV with the first 20 Fibonacci numbers and save it as fib.csv")
    local_path = await client.download_file(chat.cid, "fib.csv", dest=tmp_path / "downloads")
    assert local_path == tmp_path / "downloads" / "fib.csv"
    assert local_path.read_text() == "1\n1\n2\n"
    assert list(local_path.parent.iterdir()) == [local_path]


async def test_list_and_manage_conversations(web: ClaudeWebSimulator, client: ClaudeClient) -> None:
    await client.generate_content("One.")
    await client.generate_content("Two.")
    conversations = await client.list_conversations()
    assert {conv["uuid"] for conv in conversations[:5]} == set(web.conversations)
    await client.rename_conversation(conversations[0]["uuid"], "My renamed chat")
    assert "My renamed chat" in [conv.get("name", "(unnamed)") for conv in await client.list_conversations()]


async def test_check_for_multiple_reply_candidates(web: ClaudeWebSimulator, client: ClaudeClient) -> None:
    web.script(Script(text="Read Solaris."), match="sci-fi")
    web.script(Script(text="Read Dune."), match="sci-fi")
    chat = client.start_chat()
    response = await chat.send_message("Recommend a sci-fi novel.")
    assert [candidate.text for candidate in response.candidates] == ["Read Solaris."]
    response = await chat.retry()
    assert [candidate.text[:200] for candidate in response.candidates] == ["Read Solaris.", "Read Dune."]
    assert response.text == "Read Dune."
    chat.choose_candidate(index=0)
    await chat.send_message("Tell me more about that book.")
    assert [message.text for message in web.branch(chat.cid)[:3]] == [
        "Recommend a sci-fi novel.",
        "Read Solaris.",
        "Tell me more about that book.",
    ]
    assert [message.text for message in chat.history] == [message.text for message in web.branch(chat.cid)]


async def test_logging(client: ClaudeClient, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("claude_web")
    try:
        set_log_level("DEBUG")
        assert logger.level == logging.DEBUG
        await client.generate_content("Hello, my secret diary!")
        assert "POST" in caplog.text
        assert "diary" not in caplog.text
        for level in ("info", "WARNING", "ERROR", "CRITICAL"):
            set_log_level(level)
            assert logger.level == getattr(logging, level.upper())
        with pytest.raises(ValueError, match="no log level"):
            set_log_level("LOUD")
    finally:
        logger.setLevel(logging.NOTSET)


async def _handled(client: ClaudeClient, conversation: str | None = None) -> str:
    """The error handling of the example."""
    try:
        if conversation is None:
            await client.generate_content("Hello!")
        else:
            await client.get_conversation(conversation)
    except AuthenticationError:
        return "Invalid or expired sessionKey — please re-authenticate."
    except QuotaExceededError:
        return "Daily message limit reached. Try again later."
    except TimeoutError:
        return "Request timed out."
    except ConversationNotFoundError:
        return "Conversation UUID not found."
    except APIError as e:
        return f"API error {e.status_code}: {e}"
    return ""


async def test_error_handling() -> None:
    async with (
        ClaudeWebSimulator(Config(messages=5)) as web,
        connected(web) as client,
        connected(web, timeouts=Timeouts(silence=0.05)) as hasty,
    ):
        assert await _handled(client) == ""
        assert await _handled(client, "00000000-0000-4000-8000-00000000dead") == "Conversation UUID not found."
        web.script(Script(ending="silence"))
        assert await _handled(hasty) == "Request timed out."
        web.script(Script(status=500))
        assert await _handled(client) == "API error 500: HTTP 500: api_error: Internal server error"
        web.exhaust(web.now() + 3600)
        assert await _handled(client) == "Daily message limit reached. Try again later."
        web.expire()
        assert await _handled(client) == "Invalid or expired sessionKey — please re-authenticate."


def test_logging_goes_to_standard_error_where_the_program_has_set_up_none() -> None:
    code = (
        "from shared.claude_web import log\n"
        "log.set_log_level('info')\n"
        "log.set_log_level('INFO')\n"
        "log.LOGGER.info('told')\n"
        "log.LOGGER.debug('not told')\n"
    )
    root = Path(__file__).resolve().parents[3]
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout == ""
    assert [line.rsplit(" ", 1)[1] for line in ran.stderr.splitlines()] == ["told"]
