"""The parts that settings lead to."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.assembly import SLACK_PATH, TELEGRAM_PATH, adapters, backend, defaults, hooked, intake
from shared.backends.lazy import Lazy
from shared.errors import Misconfigured
from shared.files.blobs import Blobs
from shared.settings import Settings


def settings(folder: Path, **values: object) -> Settings:
    return Settings.model_validate({"state_dir": folder / "state", "backend": "demo", **values})


def test_without_a_token_there_is_no_platform(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="DISCORD_TOKEN"):
        adapters(settings(tmp_path))
    assert list(adapters(settings(tmp_path, discord_token="x"))) == ["discord"]


async def test_the_backend_is_the_one_that_is_set_and_never_the_demo_by_itself(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    assert backend(settings(tmp_path), blobs).name == "demo"
    with pytest.raises(Misconfigured, match="ANTHROPIC_API_KEY"):
        backend(settings(tmp_path, backend="anthropic_api"), blobs)
    real = backend(settings(tmp_path, backend="anthropic_api", anthropic_api_key=SecretStr("sk-x")), blobs)
    assert isinstance(real, Lazy)
    assert real.name == "anthropic_api"
    await real.aclose()


def test_slack_needs_both_of_its_tokens(tmp_path: Path) -> None:
    for name in ("slack_bot_token", "slack_app_token"):
        with pytest.raises(Misconfigured, match="SLACK_BOT_TOKEN and SLACK_APP_TOKEN"):
            adapters(settings(tmp_path, **{name: "x"}))
    both = {"slack_bot_token": "x", "slack_app_token": "x"}
    assert list(adapters(settings(tmp_path, **both))) == ["slack"]
    assert list(adapters(settings(tmp_path, discord_token="x", **both))) == ["discord", "slack"]


def test_slack_over_http_needs_its_signing_secret_and_no_token_of_the_app(tmp_path: Path) -> None:
    http = {"slack_events": "http", "slack_bot_token": "x"}
    for other in ({}, {"slack_app_token": "x"}):
        with pytest.raises(Misconfigured, match="SLACK_EVENTS=http needs both SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET"):
            adapters(settings(tmp_path, **http, **other))
    assert list(adapters(settings(tmp_path, **http, slack_signing_secret="x"))) == ["slack"]
    with pytest.raises(Misconfigured, match="SLACK_BOT_TOKEN and SLACK_APP_TOKEN"):
        adapters(settings(tmp_path, slack_signing_secret="x"))


def test_telegram_needs_its_token_and_with_a_webhook_its_address_and_its_secret(tmp_path: Path) -> None:
    assert list(adapters(settings(tmp_path, telegram_token="1:x"))) == ["telegram"]
    webhook = {"telegram_token": "1:x", "telegram_events": "webhook"}
    for other in ({}, {"telegram_webhook_url": "https://x"}, {"telegram_webhook_secret": "x"}):
        with pytest.raises(Misconfigured, match="needs both TELEGRAM_WEBHOOK_URL and TELEGRAM_WEBHOOK_SECRET"):
            adapters(settings(tmp_path, **webhook, **other))


def test_telegram_itself_posts_to_no_address_without_tls(tmp_path: Path) -> None:
    webhook = {
        "telegram_token": "1:x", "telegram_events": "webhook", "telegram_webhook_secret": "x",
        "telegram_webhook_url": "http://127.0.0.1:8000/telegram/webhook",
    }  # fmt: skip
    with pytest.raises(Misconfigured, match="TELEGRAM_WEBHOOK_URL has to begin with https://"):
        adapters(settings(tmp_path, **webhook))
    assert list(adapters(settings(tmp_path, **webhook, telegram_api_url="http://127.0.0.1:8081/bot"))) == ["telegram"]


def test_only_those_that_are_set_to_it_are_posted_to(tmp_path: Path) -> None:
    tokens = {"slack_bot_token": "x", "slack_app_token": "x", "telegram_token": "1:x", "discord_token": "x"}
    posted = {
        "slack_events": "http", "slack_signing_secret": "x",
        "telegram_events": "webhook", "telegram_webhook_url": "https://x", "telegram_webhook_secret": "x",
    }  # fmt: skip
    for given, paths in (
        (tokens, set[str]()),
        (tokens | posted, {SLACK_PATH, TELEGRAM_PATH}),
        (posted | {"discord_token": "x", "slack_bot_token": "x"}, {SLACK_PATH}),
    ):
        made = settings(tmp_path, **given)
        assert set(hooked(made, adapters(made))) == paths


def test_every_platform_has_its_lists(tmp_path: Path) -> None:
    made = settings(tmp_path, slack_allowed_teams="T1", telegram_allowed_chats="-1", telegram_direct="open")
    access = intake(made, backend(made, Blobs(tmp_path / "blobs"))).access
    assert set(access) == {"discord", "slack", "telegram"}
    assert access["slack"].spaces == {"T1"}
    assert (access["telegram"].channels, access["telegram"].direct_open) == ({"-1"}, True)


def test_the_model_of_the_stand_in_is_the_stand_in_and_of_the_others_the_one_that_is_set(tmp_path: Path) -> None:
    assert defaults(settings(tmp_path, model="opus"))["model"] == "demo"
    assert defaults(settings(tmp_path, model="opus", backend="anthropic_api"))["model"] == "opus"
