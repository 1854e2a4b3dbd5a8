"""From events to states, without a network."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.claude_web import (
    APIError,
    AuthenticationError,
    BrokenOffError,
    ClaudeWebAPIError,
    ConversationNotFoundError,
    ModelOutput,
    OverloadedError,
    PermissionDeniedError,
    ProtocolError,
    QuotaExceededError,
    ServerSentEvent,
    TimeoutError,  # noqa: A004 - the name is part of the interface
    TurnIds,
)
from shared.claude_web.reader import Reader

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IDS = TurnIds.new()
START: Mapping[str, Any] = {"type": "message_start", "message": {"uuid": "first"}}
STOP: Mapping[str, Any] = {"type": "message_stop"}


def reader_of(*events: Mapping[str, Any]) -> tuple[Reader, list[ModelOutput]]:
    reader = Reader("conversation", IDS, now=lambda: NOW)
    states = [state for event in events for state in reader.read(ServerSentEvent(str(event["type"]), json.dumps(event)))]
    return reader, states


def text(piece: str, kind: str = "text_delta") -> Mapping[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": {"type": kind, "text": piece}}


def block(kind: str, **fields: object) -> Mapping[str, Any]:
    return {"type": "content_block_start", "content_block": {"type": kind, **fields}}


def limited(kind: str, **fields: object) -> Mapping[str, Any]:
    return {"type": "message_limit", "message_limit": {"type": kind, **fields}}


def test_every_state_keeps_the_text_that_it_had() -> None:
    reader, states = reader_of(START, text("a"), text("b"), text("c"), STOP)
    assert [state.text for state in states] == ["", "a", "ab", "abc"]
    assert [state.text_delta for state in states] == ["", "a", "b", "c"]
    assert not any(state.whole for state in states)
    assert (reader.end().text, reader.end().whole) == ("abc", True)


def test_thinking_is_kept_apart_from_the_text() -> None:
    thinking = {"type": "content_block_delta", "delta": {"type": "thinking_delta", "thinking": "hmm"}}
    reader, _ = reader_of(START, thinking, text("so"), STOP)
    assert (reader.end().thoughts, reader.end().text) == ("hmm", "so")


def test_texts_before_and_after_a_tool_are_parted_and_the_deltas_say_so() -> None:
    tool = block("tool_use", name="web_search")
    reader, states = reader_of(START, block("text"), text("Let me look."), tool, block("tool_result"), text("Here."), STOP)
    assert reader.end().text == "".join(state.text_delta for state in states) == "Let me look.\n\nHere."
    assert [state.tool for state in states if state.tool] == ["web_search"]


def test_a_block_that_begins_with_text_loses_none() -> None:
    reader, _ = reader_of(START, block("text", text="Begun"), text(" and done"), STOP)
    assert reader.end().text == "Begun and done"


def test_a_character_whose_halves_come_in_two_deltas_stays_whole() -> None:
    reader, states = reader_of(START, text("a\ud83d"), text("\ude00b"), text("\udead"), STOP)
    assert reader.end().text == "".join(state.text_delta for state in states) == "a😀b\ufffd"


def test_two_messages_in_one_stream_are_two_candidates() -> None:
    second = {"type": "message_start", "message": {"uuid": "second"}}
    reader, _ = reader_of(START, text("one"), second, text("two"), STOP)
    whole = reader.end()
    assert [(each.index, each.message_uuid, each.text) for each in whole.candidates] == [
        (0, "first", "one"),
        (1, "second", "two"),
    ]
    assert whole.text == "one"


def test_an_answer_without_a_uuid_has_the_one_that_was_asked_for() -> None:
    reader, _ = reader_of({"type": "message_start"}, text("x"), STOP)
    assert reader.end().message_uuid == IDS.assistant


def test_the_stop_reason_is_told_at_the_end() -> None:
    reader, _ = reader_of(START, text("x"), {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}}, STOP)
    assert reader.end().stop_reason == "max_tokens"


def test_unknown_events_deltas_and_texts_are_passed_over() -> None:
    reader, states = reader_of(START, {"type": "shimmer"}, {"type": "ping"}, text("no", "shimmer_delta"), text("yes"), STOP)
    assert [*reader.read(ServerSentEvent("shimmer", "no JSON")), *reader.read(ServerSentEvent("", "[DONE]"))] == []
    assert reader.end().text == "yes"
    assert len(states) == 2


@pytest.mark.parametrize("data", ["no JSON", "[1]", "[" * 100_000])
def test_a_known_event_that_cannot_be_read_is_an_error(data: str) -> None:
    reader, _ = reader_of(START)
    with pytest.raises(ProtocolError, match="content_block_delta"):
        list(reader.read(ServerSentEvent("content_block_delta", data)))


def test_an_answer_without_its_end_is_broken_off() -> None:
    reader, _ = reader_of(START, text("half"))
    with pytest.raises(BrokenOffError):
        reader.end()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("authentication_error", AuthenticationError),
        ("rate_limit_error", QuotaExceededError),
        ("overloaded_error", OverloadedError),
        ("permission_error", PermissionDeniedError),
        ("not_found_error", ConversationNotFoundError),
        ("timeout_error", TimeoutError),
        ("api_error", APIError),
        ("something_new", APIError),
    ],
)
def test_an_error_event_is_raised_as_what_it_is(kind: str, expected: type[ClaudeWebAPIError]) -> None:
    with pytest.raises(expected, match="it went wrong") as raised:
        reader_of(START, text("half"), {"type": "error", "error": {"type": kind, "message": "it went wrong"}})
    assert type(raised.value) is expected


def test_an_error_event_without_words_is_raised_too() -> None:
    with pytest.raises(APIError):
        reader_of(START, {"type": "error"})


def test_a_limit_that_keeps_the_answer_from_coming_is_raised_with_the_time_of_its_end() -> None:
    reset = NOW + timedelta(hours=3)
    windows = {
        "5h": {"status": "over_limit", "utilization": 1.0, "resets_at": reset.timestamp()},
        "7d": {"status": "within_limit", "utilization": 0.5, "resets_at": (reset + timedelta(days=3)).timestamp()},
    }
    reader, _ = reader_of(START, limited("hit_limit", windows=windows), STOP)
    with pytest.raises(QuotaExceededError, match="03:00:00") as raised:
        reader.end()
    assert (raised.value.reset_at, raised.value.retry_after) == (reset, 3 * 3600.0)


def test_a_limit_that_cuts_an_answer_off_is_raised() -> None:
    reader, _ = reader_of(START, text("half"), limited("exceeded_limit"))
    with pytest.raises(QuotaExceededError):
        reader.end()


def test_a_limit_that_a_whole_answer_has_used_up_does_not_cost_the_answer() -> None:
    reader, _ = reader_of(START, text("whole"), limited("hit_limit", resetsAt=NOW.timestamp() + 60), STOP)
    whole = reader.end()
    assert whole.text == "whole"
    assert whole.limit is not None
    assert whole.limit.over
    assert whole.limit.reset_at == NOW + timedelta(minutes=1)


def test_how_much_of_the_limit_is_used_is_told() -> None:
    reader, _ = reader_of(START, text("x"), limited("within_limit", windows={"5h": {"utilization": 0.25}}), STOP)
    limit = reader.end().limit
    assert limit is not None
    assert (limit.kind, limit.over, limit.utilization, limit.reset_at) == ("within_limit", False, 0.25, None)
