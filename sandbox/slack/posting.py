"""The Events API over HTTP: signed requests to the app's request URL (docs.slack.dev, Events API; Verifying requests)."""

import hashlib
import hmac
import json
import secrets
from typing import Any, cast
from urllib.parse import urlencode

import aiohttp

from sandbox.slack.config import SimulatorConfig
from sandbox.slack.model import Json
from sandbox.slack.sending import Answered, Outgoing


class Posting:
    """Posts to the request URL. Events are JSON, commands a form, presses a form with one field `payload`."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.url = config.request_url
        self.secret = config.signing_secret
        self._config = config
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def verify(self, url: str) -> None:
        """Ask a new request URL for its challenge and take it. Raises `ValueError` when it gives no right answer."""
        challenge = secrets.token_urlsafe(24)
        body = {"token": "legacy-verification-token", "challenge": challenge, "type": "url_verification"}
        status, _, text = await self._post(url, json.dumps(body), "application/json", {})
        given: object = json.loads(text) if text.startswith("{") else {"challenge": text}
        if status != 200 or cast("Json", given).get("challenge") != challenge:
            raise ValueError(f"the request URL did not answer the challenge: {status} {text[:200]}")
        self.url = url

    async def send(self, outgoing: Outgoing) -> Answered:
        """Post something and wait for the answer."""
        body, content = _body(outgoing)
        headers: dict[str, str] = {}
        if outgoing.attempt:
            headers = {"X-Slack-Retry-Num": str(outgoing.attempt), "X-Slack-Retry-Reason": outgoing.reason}
        try:
            status, answer, text = await self._post(self.url, body, content, headers)
        except TimeoutError:
            return Answered(False, "http_timeout")
        except aiohttp.TooManyRedirects:
            return Answered(False, "too_many_redirects")
        except (aiohttp.ClientError, OSError):
            return Answered(False, "connection_failed")
        if not 200 <= status < 300:
            return Answered(False, "http_error", final=answer.get("X-Slack-No-Retry") == "1")
        return Answered(True, "", _payload(text, answer.get("Content-Type", "")))

    async def _post(self, url: str, body: str, content: str, headers: dict[str, str]) -> tuple[int, Any, str]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        sent = (
            headers | self.signed(body) | {"Content-Type": content, "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)"}
        )
        limit = aiohttp.ClientTimeout(total=self._config.ack_timeout)
        # More than two redirects are a failure (docs.slack.dev, Events API: Failure conditions).
        async with self._session.post(url, data=body.encode(), headers=sent, timeout=limit, max_redirects=2) as response:
            return response.status, response.headers, await response.text()

    def signed(self, body: str, at: float | None = None) -> dict[str, str]:
        """The headers that say that a body is Slack's (docs.slack.dev, Verifying requests from Slack), as of now or of `at`."""
        stamp = str(int(self._config.clock() if at is None else at))
        signature = hmac.new(self.secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}"}


def _body(outgoing: Outgoing) -> tuple[str, str]:
    if outgoing.kind == "events_api":
        return json.dumps(outgoing.payload), "application/json"
    form = outgoing.payload if outgoing.kind == "slash_commands" else {"payload": json.dumps(outgoing.payload)}
    return urlencode(form), "application/x-www-form-urlencoded"


def _payload(text: str, content: str) -> Json | None:
    if content.startswith("application/json") and text:
        given: object = json.loads(text)
        return cast("Json", given) if isinstance(given, dict) else None
    return {"text": text} if text else None
