"""Settings, from the environment and from a file."""

from pathlib import Path

import pytest

from shared import settings
from shared.errors import Misconfigured


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in settings.names():
        monkeypatch.delenv(name, raising=False)


def told(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        settings.load(path)
    assert "\n" not in caught.value.detail
    return caught.value.detail


def test_a_file_is_read_and_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKEN=from-file\nATTEMPTS=3\nDISCORD_ALLOWED_USERS=1, 2 ,\nMODEL=\n")
    monkeypatch.setenv("ATTEMPTS", "4")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://proxy.example/")
    read = settings.load(tmp_path / ".env")
    assert read.attempts == 4
    assert read.discord_allowed_users == {"1", "2"}
    assert read.anthropic_base_url == "https://proxy.example"
    assert read.model == settings.load(None).model
    assert read.secrets() == ["from-file"]
    assert "from-file" not in repr(read)


def test_without_a_file_everything_has_a_default() -> None:
    read = settings.load(None)
    assert read.discord_token is None
    assert read.secrets() == []


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("ATTEMPTS=many", "ATTEMPTS"),
        ("ATTEMPTS=0", "ATTEMPTS"),
        ("LOG_LEVEL=loud", "LOG_LEVEL"),
        ("DISCORD_API_URL=ftp://x", "DISCORD_API_URL"),
        ("DISCORD_ALLOWED_ROLES=Admins", "DISCORD_ALLOWED_ROLES"),
        ("RECALL_HOURS=-1", "RECALL_HOURS"),
    ],
)
def test_a_malformed_setting_is_named_and_its_value_is_not_told(tmp_path: Path, line: str, name: str) -> None:
    sentence = told(tmp_path / ".env", line)
    assert f"setting {name} " in sentence
    assert ".env.example" in sentence
    value = line.partition("=")[2]
    assert value in ("0", "-1") or value not in sentence


@pytest.mark.parametrize("name", ["DISCORD_TOKEN", "ANTHROPIC_API_KEY"])
@pytest.mark.parametrize("value", ["sk-se cret", "sk-se\tcret", "sk-se\x7fcret", "sk-s\u00e9cret", "sk-se\u200bcret"])
def test_a_key_that_no_header_can_carry_is_named_and_not_told(tmp_path: Path, name: str, value: str) -> None:
    sentence = told(tmp_path / ".env", f'{name}="{value}"')
    assert f"setting {name} " in sentence
    assert "copy it anew" in sentence
    assert "cret" not in sentence


def test_blanks_around_a_key_in_a_file_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ANTHROPIC_API_KEY= sk-secret \r\n", newline="")
    assert settings.load(tmp_path / ".env").secrets() == ["sk-secret"]


def test_an_unknown_setting_is_told_with_the_name_that_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "did you mean DISCORD_TOKEN?" in told(tmp_path / ".env", "DISCORD_TOKN=sk-secret")
    assert "sk-secret" not in told(tmp_path / ".env", "DISCORD_TOKN=sk-secret")
    assert ".env.example lists all" in told(tmp_path / ".env", "QQQQQQ=1")
    monkeypatch.setenv("DISCORD_TOKENS", "sk-secret")
    assert "did you mean DISCORD_TOKEN?" in told(tmp_path / ".env", "")


def test_variables_of_other_programs_are_none_of_our_business(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMETHING_ELSE", "1")
    settings.load(None)


def test_a_file_that_is_not_text_or_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"MODEL=\xff\xfe")
    with pytest.raises(Misconfigured, match="not UTF-8"):
        settings.load(tmp_path / ".env")
    memory = Path("/proc/self/mem")
    if not memory.is_file():
        pytest.skip("no file here that nobody can read from its beginning")
    with pytest.raises(Misconfigured, match="cannot be read"):
        settings.load(memory)
