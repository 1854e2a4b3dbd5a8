"""Updates, webhooks, and the answers to callback queries."""

import re
from typing import cast

from sandbox.telegram.api.asked import Asked
from sandbox.telegram.errors import bad
from sandbox.telegram.model import Json, Webhook

ANSWER = 200
"""Characters of an answer (core.telegram.org/bots/api, answerCallbackQuery)."""
KINDS = frozenset(
    {
        "message",
        "edited_message",
        "channel_post",
        "edited_channel_post",
        "business_connection",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
        "message_reaction",
        "message_reaction_count",
        "inline_query",
        "chosen_inline_result",
        "callback_query",
        "shipping_query",
        "pre_checkout_query",
        "purchased_paid_media",
        "poll",
        "poll_answer",
        "my_chat_member",
        "chat_member",
        "chat_join_request",
        "chat_boost",
        "removed_chat_boost",
    }
)
"""core.telegram.org/bots/api, Update. Other names are ignored, as update_allowed_update_types of the open server does."""


def _allowed(asked: Asked) -> list[str] | None:
    given = asked.parsed("allowed_updates")
    if not isinstance(given, list):
        return None
    return [each for each in cast("list[object]", given) if isinstance(each, str) and each in KINDS]


async def get_updates(asked: Asked) -> list[Json]:
    """`getUpdates`: 1 to 100 updates, at most 50 seconds (tdlib/telegram-bot-api, process_get_updates_query).

    That server makes an empty short poll, repeated within 3 seconds, wait for 3; here it is answered at once.
    """
    asked.api.updates.allow(_allowed(asked))
    limit = min(100, max(1, asked.number("limit", 100)))
    timeout = min(50, max(0, asked.number("timeout")))
    return await asked.api.updates.poll(asked.number("offset"), limit, timeout, asked.gone)


def set_webhook(asked: Asked) -> bool:
    """`setWebhook`; an empty url deletes it."""
    secret, url = asked.text("secret_token") or "", asked.text("url") or ""
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret):
        raise bad("secret token contains unallowed characters")
    if not url:
        return delete_webhook(asked)
    connections = min(100, max(1, asked.number("max_connections", 40)))
    asked.api.webhooks.set(Webhook(url, secret, connections))
    asked.api.updates.allow(_allowed(asked))
    _drop(asked)
    return True


def delete_webhook(asked: Asked) -> bool:
    """`deleteWebhook`."""
    _drop(asked)
    if asked.world.state.webhook.url:
        asked.api.webhooks.set(Webhook())
    return True


def _drop(asked: Asked) -> None:
    if asked.flag("drop_pending_updates"):
        asked.api.updates.forget([each.id for each in asked.api.updates.pending()])


def get_webhook_info(asked: Asked) -> Json:
    """`getWebhookInfo`."""
    webhook, error = asked.world.state.webhook, asked.api.webhooks.last_error
    told: Json = {"url": webhook.url, "has_custom_certificate": False}
    told["pending_update_count"] = len(asked.api.updates.pending())
    if webhook.url:
        told["max_connections"] = webhook.connections
    if error is not None:
        told |= {"last_error_date": error[0], "last_error_message": error[1]}
    if asked.world.state.allowed:
        told["allowed_updates"] = asked.world.state.allowed
    return told


def answer_query(asked: Asked) -> bool:
    """`answerCallbackQuery`: once, and not too late (a second answer: chelaxian/tg-ytdlp-bot issue 470)."""
    query = asked.world.state.queries.get(asked.text("callback_query_id") or "")
    lifetime = asked.api.config.query_lifetime
    if query is None or query.over or query.answer is not None or asked.world.now() - query.created >= lifetime:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    text = asked.text("text") or ""
    if len(text) > ANSWER:
        raise bad("MESSAGE_TOO_LONG")
    asked.world.set_query(query, answer={"text": text, "alert": asked.flag("show_alert"), "at": asked.world.now()})
    return True
