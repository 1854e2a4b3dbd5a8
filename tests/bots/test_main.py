"""`threadline run` and `threadline demo`, as processes: what the operator reads, and the exit status."""

import asyncio
import signal
import sqlite3
from pathlib import Path

import pytest

from bots.__main__ import main
from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import BOT
from shared.settings import names
from tests.bots.command import PATIENCE, around, connected, ended, run, started, terminated

SECRET = "MTIzNDU2Nzg5.very.secret-token"


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, and no setting in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in names():
        monkeypatch.delenv(name, raising=False)
    return tmp_path


async def test_run_without_a_platform_says_so_and_exits_2(tmp_path: Path) -> None:
    sentence = (await run(tmp_path, "run")).sentence()
    assert sentence.startswith("No platform is set up")
    assert "DISCORD_TOKEN" in sentence


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"DISCORD_TOKN={SECRET}", "did you mean DISCORD_TOKEN"),
        (f"DISCORD_TOKEN={SECRET}\nANTHROPIC_API_KEY={SECRET} {SECRET}", "The setting ANTHROPIC_API_KEY is not right"),
        (f"DISCORD_TOKEN={SECRET}\nATTEMPTS=often", "The setting ATTEMPTS is not right"),
        (f"DISCORD_TOKEN={SECRET}\nMODEL=\udcff", "not UTF-8"),
    ],
)
def test_a_wrong_setting_is_one_sentence_and_exit_2(bare: Path, line: str, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    (bare / ".env").write_bytes(line.encode(errors="surrogateescape"))
    assert main(["run"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("threadline: ")
    assert err.count("\n") == 1
    assert told in err
    assert SECRET not in err


async def test_a_wrong_token_is_one_sentence_that_does_not_tell_it(tmp_path: Path) -> None:
    async with Simulator() as simulator:
        result = await run(tmp_path, "run", env=around(simulator) | {"DISCORD_TOKEN": SECRET})
    assert "DISCORD_TOKEN" in result.sentence()
    assert SECRET not in result.out + result.err


async def test_a_missing_intent_is_one_sentence_that_says_where_to_switch_it_on(tmp_path: Path) -> None:
    async with Simulator(SimulatorConfig(message_content=False)) as simulator:
        sentence = (await run(tmp_path, "run", env=around(simulator))).sentence()
    assert "Message Content Intent" in sentence
    assert "DISCORD_MESSAGE_CONTENT" in sentence


async def test_a_second_process_on_the_same_state_is_told_and_a_signal_ends_the_first_well(tmp_path: Path) -> None:
    async with Simulator() as simulator, started(tmp_path, "run", env=around(simulator)) as first:
        await connected(simulator)
        assert "Another Threadline already runs" in (await run(tmp_path, "run", env=around(simulator))).sentence()
        result = await terminated(first)
        assert result.status == 0
        assert "stopped" in result.err
        assert "Traceback" not in result.err
        assert simulator.config.token not in result.out + result.err


async def test_a_database_of_a_newer_version_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    with sqlite3.connect(tmp_path / "state" / "threadline.db") as file:
        file.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        file.execute("INSERT INTO alembic_version VALUES ('9999')")
    file.close()
    result = await run(tmp_path, "run", env={"DISCORD_TOKEN": SECRET, "BACKEND": "demo"})
    assert "newer Threadline" in result.sentence()


async def test_a_state_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    result = await run(tmp_path, "run", env={"DISCORD_TOKEN": SECRET, "BACKEND": "demo"})
    assert "Set STATE_DIR" in result.sentence()


async def test_an_answer_that_runs_is_ended_before_a_signal_ends_the_server(tmp_path: Path) -> None:
    async with Simulator() as simulator, started(tmp_path, "run", env=around(simulator)) as process:
        await connected(simulator)
        await simulator.say("user1", "general", "@threadline who are you?")
        await simulator.wait_for(lambda: _answered(simulator), PATIENCE)
        result = await terminated(process)
        assert result.status == 0
        [(state,)] = _rows(tmp_path / "state" / "threadline.db", "SELECT state FROM turns")
        assert state == "done"


async def test_the_demo_without_a_terminal_keeps_serving_and_can_be_talked_to(tmp_path: Path) -> None:
    async with started(tmp_path, "demo") as demo:
        said = await read_until(demo.stdout, "Ctrl-C")
        assert 'demo --as user1 --in general "@threadline hello"' in said
        talk = await run(tmp_path, "demo", "--as", "user1", "--in", "general", "@threadline what is 2 + 3?")
        assert talk.status == 0, talk
        assert "5" in talk.out
        assert demo.returncode is None
        result = await terminated(demo)
        assert result.status == 0
        assert "Traceback" not in result.err


async def test_a_second_demo_is_told_and_leaves_the_first_one_alone(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "demo"
    async with started(tmp_path, "demo") as demo:
        await read_until(demo.stdout, "Ctrl-C")
        before = _files(folder, "address.json", "discord.*")
        assert "Another Threadline already runs" in (await run(tmp_path, "demo")).sentence()
        after = _files(folder, "address.json", "discord.*")
        # The first one may write on meanwhile.
        assert all(after[path].startswith(was) for path, was in before.items())
        talk = await run(tmp_path, "demo", "@threadline what is 2 + 3?")
        assert "5" in talk.out


@pytest.mark.parametrize("taken", ["state", "state/demo", "state/demo/discord.jsonl/x", "state/demo/address.json/x"])
async def test_a_folder_that_the_demo_cannot_use_is_told(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / taken).write_text("a file where a folder has to be, or the other way round")
    assert "Set STATE_DIR" in (await run(tmp_path, "demo")).sentence()


@pytest.mark.parametrize("command", ["run", "demo"])
@pytest.mark.parametrize(
    "module", ["annotated_types", "pydantic_settings.main", "structlog.dev", "sqlalchemy.sql.base", "bots.server"]
)
async def test_an_interrupt_during_the_start_ends_it_without_a_traceback(tmp_path: Path, command: str, module: str) -> None:
    # Python then tells each import on standard error: it is known where the process is.
    env = {"PYTHONPROFILEIMPORTTIME": "1", "DISCORD_TOKEN": SECRET, "DISCORD_API_URL": "http://127.0.0.1:9", "BACKEND": "demo"}
    async with started(tmp_path, command, env=env) as process:
        await read_until(process.stderr, f" {module}\n")
        process.send_signal(signal.SIGINT)
        result = await ended(process)
    assert result.status in (0, 130), result
    assert "Traceback" not in result.err


def test_talking_to_a_demo_that_does_not_run_is_told(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "@threadline hello"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert "No demo is running" in err
    assert list(bare.iterdir()) == []


def test_a_demo_that_was_killed_does_not_run_though_its_address_is_left(
    bare: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIR", str(bare))
    folder = bare / "demo"
    folder.mkdir()
    (folder / "demo.lock").touch()
    (folder / "address.json").write_text('{"control": "http://127.0.0.1:9/control"}')
    assert main(["demo", "@threadline hello"]) == 2
    assert "No demo is running" in capsys.readouterr().err


def test_without_a_command_both_are_named(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "threadline run" in capsys.readouterr().err
    assert list(bare.iterdir()) == []


@pytest.mark.parametrize("arguments", [["nonsense"], ["run", "--nonsense"]])
def test_a_wrong_command_line_is_told_and_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert "nonsense" in capsys.readouterr().err


def test_help_names_both_commands(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert "run" in out
    assert "demo" in out


def _files(folder: Path, *patterns: str) -> dict[Path, bytes]:
    return {path: path.read_bytes() for pattern in patterns for path in folder.glob(pattern)}


async def read_until(stream: asyncio.StreamReader | None, sign: str) -> str:
    """What a process says until there is this sign in it."""
    assert stream is not None
    said = ""
    async with asyncio.timeout(PATIENCE):
        while sign not in said:
            line = await stream.readline()
            assert line, f"it ended after {said}"
            said += line.decode()
    return said


def _answered(simulator: Simulator) -> bool:
    return any(message.author == BOT and message.content for message in simulator.world.state.messages.values())


def _rows(path: Path, sql: str) -> list[tuple[str, ...]]:
    file = sqlite3.connect(path)
    try:
        return list(file.execute(sql))
    finally:
        file.close()
