"""The parts that settings lead to."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from bots.assembly import adapters, backend, defaults
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


def test_the_model_of_the_stand_in_is_the_stand_in_and_of_the_others_the_one_that_is_set(tmp_path: Path) -> None:
    assert defaults(settings(tmp_path, model="opus"))["model"] == "demo"
    assert defaults(settings(tmp_path, model="opus", backend="anthropic_api"))["model"] == "opus"
