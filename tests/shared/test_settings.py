"""Settings, from the environment and from a file."""

from pathlib import Path

import pytest

from shared import settings
from shared.errors import Misconfigured
from shared.lists import McpServer, Price


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
        ("DISCORD_ADMINS=Ada", "DISCORD_ADMINS"),
        ("DISCORD_ALLOWED_USERS=-12345", "DISCORD_ALLOWED_USERS"),
        ("SLACK_ALLOWED_TEAMS=example.slack.com", "SLACK_ALLOWED_TEAMS"),
        ("SLACK_ALLOWED_USERS=u0123abcd", "SLACK_ALLOWED_USERS"),
        ("SLACK_EVENTS=webhook", "SLACK_EVENTS"),
        ("SLACK_SIGNING_SECRET=secret word", "SLACK_SIGNING_SECRET"),
        ("HTTP_PORT=0", "HTTP_PORT"),
        ("TELEGRAM_ALLOWED_CHATS=@the_group", "TELEGRAM_ALLOWED_CHATS"),
        ("TELEGRAM_ALLOWED_USERS=1-2", "TELEGRAM_ALLOWED_USERS"),
        ("TELEGRAM_API_URL=127.0.0.1:8081", "TELEGRAM_API_URL"),
        ("TELEGRAM_WEBHOOK_URL=bot.example.org", "TELEGRAM_WEBHOOK_URL"),
        ("TELEGRAM_WEBHOOK_SECRET=a secret!", "TELEGRAM_WEBHOOK_SECRET"),
        ("TELEGRAM_TOKEN=12:sec ret", "TELEGRAM_TOKEN"),
        ("IDLE_HOURS=-1", "IDLE_HOURS"),
        ("DISCORD_IDLE_HOURS=often", "DISCORD_IDLE_HOURS"),
        ("IDLE_CHANNELS=telegram:77", "IDLE_CHANNELS"),
        ("IDLE_CHANNELS=123=2", "IDLE_CHANNELS"),
        ("IDLE_CHANNELS=discord:1=9999", "IDLE_CHANNELS"),
        ("IDLE_CHANNELS=discord:1=nan", "IDLE_CHANNELS"),
        ("IDLE_NOTICE=loud", "IDLE_NOTICE"),
        ("WHEN_BUSY=panic", "WHEN_BUSY"),
        ("BURST_SECONDS=61", "BURST_SECONDS"),
        ("QUEUE_LIMIT=1001", "QUEUE_LIMIT"),
        ("USER_PER_MINUTE=10001", "USER_PER_MINUTE"),
        ("BUDGET_USER_TOKENS=plenty", "BUDGET_USER_TOKENS"),
        ("BUDGET_TOTAL_DOLLARS=nan", "BUDGET_TOTAL_DOLLARS"),
        ("THINKING=hard", "THINKING"),
        ("WEB_SEARCH=yes-please", "WEB_SEARCH"),
        ("CACHE_TTL=2h", "CACHE_TTL"),
        ("FILE_MEGABYTES=101", "FILE_MEGABYTES"),
        ("FILES_TOTAL_MEGABYTES=9", "FILES_TOTAL_MEGABYTES"),
        ("CODE_FILE_CHARACTERS=1000001", "CODE_FILE_CHARACTERS"),
        ("CONNECTION_IDLE_SECONDS=86401", "CONNECTION_IDLE_SECONDS"),
        ('PRICES={"m": 3}', "PRICES"),
        ('PRICES={"m": {"input": 3}}', "PRICES"),
        ('PRICES={"m": {"input": 3, "output": "dear"}}', "PRICES"),
        ('PRICES={"m": {"input": 3, "output": true}}', "PRICES"),
        ('PRICES={"m": {"input": 3, "output": 5, "tip": 1}}', "PRICES"),
        ("PRICES=no-such-file.json", "PRICES"),
        ("PRICES={broken", "PRICES"),
        ("MCP_SERVERS=https://secret.example", "MCP_SERVERS"),
        ('MCP_SERVERS={"name": "secret"}', "MCP_SERVERS"),
        ('MCP_SERVERS=["secret"]', "MCP_SERVERS"),
        ('MCP_SERVERS=[{"name": "secret"}]', "MCP_SERVERS"),
        ('MCP_SERVERS=[{"name": "a secret", "url": "https://a"}]', "MCP_SERVERS"),
        ('MCP_SERVERS=[{"name": "a", "url": "ftp://secret"}]', "MCP_SERVERS"),
        ('MCP_SERVERS=[{"name": "a", "url": "https://a", "token": "sec ret"}]', "MCP_SERVERS"),
        ('MCP_SERVERS=[{"name": "a", "url": "https://a", "secret": 1}]', "MCP_SERVERS"),
        ('MCP_SERVERS=[{"name": "a", "url": "https://a"}, {"name": "a", "url": "https://b"}]', "MCP_SERVERS"),
    ],
)
def test_a_malformed_setting_is_named_and_its_value_is_not_told(tmp_path: Path, line: str, name: str) -> None:
    sentence = told(tmp_path / ".env", line)
    assert f"setting {name} " in sentence
    assert ".env.example" in sentence
    value = line.partition("=")[2]
    assert len(value) < 6 or value not in sentence
    assert "secret" not in sentence
    assert "sec ret" not in sentence


def test_mcp_servers_are_read_and_their_tokens_kept_out_of_sight(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        'MCP_SERVERS=[{"name": "docs", "url": "https://docs.example/mcp", "token": "sk-mcp"}, {"name": "b", "url": "http://b"}]\n'
    )
    read = settings.load(tmp_path / ".env")
    assert read.mcp() == [McpServer("docs", "https://docs.example/mcp", "sk-mcp"), McpServer("b", "http://b")]
    assert read.secrets() == ["sk-mcp"]
    assert "sk-mcp" not in repr(read) + repr(read.mcp())
    assert settings.load(None).mcp() == ()


def test_prices_are_read_from_the_setting_or_from_a_file(tmp_path: Path) -> None:
    table = '{"m-1": {"input": 2, "output": 10.5, "cache_read": 0.2}}'
    (tmp_path / "prices.json").write_text(table)
    for value in (table, str(tmp_path / "prices.json")):
        (tmp_path / ".env").write_text(f"PRICES={value}\n")
        assert settings.load(tmp_path / ".env").prices == {"m-1": Price(2.0, 10.5, cache_read=0.2)}


def test_hours_by_channel_are_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("IDLE_CHANNELS= discord:123=2, discord:5=0 ,slack:C1=0.5\nDISCORD_IDLE_HOURS=\n")
    read = settings.load(tmp_path / ".env")
    assert read.idle_channels == {"discord:123": 2.0, "discord:5": 0.0, "slack:C1": 0.5}
    assert read.discord_idle_hours is None


def test_people_are_told_what_was_set_and_nothing_that_is_secret_or_about_people(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKEN=sk-1\nDISCORD_ADMINS=42\nQUEUE_LIMIT=3\nSYSTEM_PROMPT=Be nice.\n")
    told = settings.load(tmp_path / ".env").told()
    assert ("QUEUE_LIMIT", "3", True) in told
    assert ("BURST_SECONDS", "1.5", False) in told
    assert ("FILE_MEGABYTES", "20", False) in told
    assert not any(secret in str(told) for secret in ("sk-1", "42", "TOKEN", "ADMINS", "nice", "URL"))


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


def test_ids_are_read_as_each_platform_has_them(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "DISCORD_ADMINS=1,2\nSLACK_ALLOWED_TEAMS=T0123ABCD, E9\nTELEGRAM_ALLOWED_CHATS=-1001234, -7\nTELEGRAM_ADMINS=42\n"
    )
    read = settings.load(tmp_path / ".env")
    assert (read.discord_admins, read.slack_allowed_teams) == ({"1", "2"}, {"T0123ABCD", "E9"})
    assert (read.telegram_allowed_chats, read.telegram_admins) == ({"-1001234", "-7"}, {"42"})


def test_every_secret_is_kept_out_of_the_log_and_a_token_says_that_a_platform_is_set_up(tmp_path: Path) -> None:
    for name, field in settings.Settings.model_fields.items():
        if "SecretStr" in str(field.annotation) and name != "mcp_servers":
            (tmp_path / ".env").write_text(f"{name.upper()}=sk-hidden\n")
            read = settings.load(tmp_path / ".env")
            assert read.secrets() == ["sk-hidden"], name
            platform = name.startswith(("discord", "slack", "telegram")) and name != "telegram_webhook_secret"
            assert read.platforms() == platform, name
