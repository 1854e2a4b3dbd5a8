"""Settings that a service manager hands over as files."""

from pathlib import Path

import pytest

from shared.errors import Misconfigured
from shared.settings import load, names

SECRET = "MTIzNDU2Nzg5.very.secret-token"


@pytest.fixture
def credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the credentials, empty; nothing else is set."""
    for name in names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("written", [SECRET, f"{SECRET}\n", f" {SECRET}\r\n"])
def test_a_credential_is_the_setting_of_its_name_without_the_line_break(credentials: Path, written: str) -> None:
    (credentials / "discord_token").write_text(written)
    settings = load(None)
    assert settings.discord_token
    assert settings.discord_token.get_secret_value() == SECRET
    assert settings.secrets() == [SECRET]


def test_a_credential_of_several_lines_is_taken_whole(credentials: Path) -> None:
    (credentials / "mcp_servers").write_text('[\n  {"name": "wiki", "url": "https://wiki.example/mcp", "token": "t0p"}\n]\n')
    assert [server.name for server in load(None).mcp()] == ["wiki"]
    assert "t0p" in load(None).secrets()


def test_the_environment_and_the_file_win_over_a_credential(
    credentials: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (credentials / "model").write_text("credential")
    (credentials / "effort").write_text("low")
    env = tmp_path_factory.mktemp("env") / "env"
    env.write_text("MODEL=file\nEFFORT=\n")
    settings = load(env)
    assert (settings.model, settings.effort) == ("file", "low")
    monkeypatch.setenv("MODEL", "environment")
    assert load(env).model == "environment"


def test_an_empty_credential_means_the_default(credentials: Path) -> None:
    for name in ("discord_token", "anthropic_api_key", "model", "attempts"):
        (credentials / name).write_text("\n")
    assert load(None) == load(None).model_copy(update={"discord_token": None, "anthropic_api_key": None, "attempts": 2})
    assert load(None).anthropic_api_key is None


def test_a_folder_that_is_gone_is_no_folder(credentials: Path) -> None:
    credentials.rmdir()
    assert load(None).discord_token is None


def test_a_credential_that_is_not_ours_is_left_alone(credentials: Path) -> None:
    (credentials / "shell.prompt").write_text("x")
    (credentials / "folder").mkdir()
    assert load(None).discord_token is None


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("discord_tokn", SECRET.encode(), "did you mean DISCORD_TOKEN"),
        ("discord_token", b"\xff" + SECRET.encode(), "The credential discord_token is not UTF-8"),
        ("discord_token", f"{SECRET} {SECRET}".encode(), "The setting DISCORD_TOKEN is not right"),
    ],
)
def test_a_wrong_credential_is_one_sentence_that_does_not_tell_it(
    credentials: Path, name: str, content: bytes, told: str
) -> None:
    (credentials / name).write_bytes(content)
    with pytest.raises(Misconfigured, match=told) as caught:
        load(None)
    assert SECRET not in caught.value.detail


def test_a_credential_that_cannot_be_read_is_one_sentence(credentials: Path) -> None:
    (credentials / "discord_token").mkdir()
    with pytest.raises(Misconfigured, match="The credential discord_token cannot be read: Is a directory"):
        load(None)
