"""The pure parts of the Messages API's backend: what is sent, what is read."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backends import Answer, Delta, Finished, Prompt, Said, Thinking
from shared.backends.anthropic_api import AnthropicApi, AnthropicConfig
from shared.backends.anthropic_api.failures import Trouble
from shared.backends.anthropic_api.options import options_of
from shared.backends.anthropic_api.payload import messages_of
from shared.backends.anthropic_api.prices import Prices
from shared.backends.anthropic_api.reader import Reader, StreamError
from shared.backends.anthropic_api.sources import LONGEST, Sources, safe
from shared.backends.anthropic_api.tally import Tally
from shared.errors import Misconfigured
from tests.conformance.backend import CONVERSATION
from tests.shared.backends.api import NOWHERE

texts = st.text(st.characters(exclude_categories=[]), max_size=6) | st.sampled_from(["", " ", "\n", "\ud800"])
natives = st.none() | st.just([{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "t"}])
questions = st.builds(Said, st.just("user"), texts)
answers = st.builds(Said, st.just("assistant"), texts, natives)


def of(history: Sequence[Said], ask: Sequence[Said], system: str | None = None) -> Prompt:
    return Prompt(conversation=CONVERSATION, turn=1, attempt=1, history=history, ask=ask, system=system)


@given(st.lists(questions | answers, max_size=8), st.lists(questions, max_size=3))
def test_roles_alternate_from_user_to_user_and_no_text_is_empty(history: list[Said], ask: list[Said]) -> None:
    messages = messages_of(of(history, ask))
    roles = [message["role"] for message in messages]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    for message in messages:
        assert message["content"]
        assert all(block["text"].strip() for block in message["content"] if block["type"] == "text")
    json.dumps(messages, ensure_ascii=False).encode()


@given(st.lists(questions | answers, max_size=8), st.lists(questions, max_size=3))
def test_every_line_with_text_is_sent_in_order(history: list[Said], ask: list[Said]) -> None:
    def clean(text: str) -> str:
        return "".join("\ufffd" if "\ud800" <= sign <= "\udfff" else sign for sign in text)

    wanted = [
        "t" if said.role == "assistant" and said.blocks else clean(said.text)
        for said in [*history, *ask]
        if said.text.strip() or (said.role == "assistant" and said.blocks)
    ]
    sent = [b["text"] for message in messages_of(of(history, ask)) for b in message["content"] if b["type"] == "text"]
    assert [text for text in sent if not text.startswith("(")] == [text for text in wanted if not text.startswith("(")]


def test_a_longer_conversation_begins_with_the_bytes_of_the_shorter_one() -> None:
    first = [Said("user", "Ada: one"), Said("assistant", "yes")]
    short = messages_of(of(first, [Said("user", "Ada: two")]))
    long = messages_of(of([*first, Said("user", "Ada: two"), Said("assistant", "no")], [Said("user", "Ben: three")]))
    assert long[: len(short)] == short


def test_building_messages_changes_no_stored_blocks() -> None:
    blocks = [{"type": "text", "text": "t"}]
    history = [Said("user", "a"), Said("assistant", "t", blocks), Said("assistant", "u")]
    assert messages_of(of(history, [Said("user", "b")])) == messages_of(of(history, [Said("user", "b")]))
    assert blocks == [{"type": "text", "text": "t"}]


def test_what_stands_before_the_newest_summary_is_left_out() -> None:
    old, new = ({"type": "compaction", "content": content} for content in ("once", "upon"))
    failed, word = {"type": "compaction", "content": None}, {"type": "text", "text": "w"}
    history = [
        Said("user", "a"),
        Said("assistant", "w", [old, word]),
        Said("user", "b"),
        Said("assistant", "ww", [word, new, word]),
        Said("user", "c"),
        Said("assistant", "w", [failed, word]),
    ]
    messages = messages_of(of(history, [Said("user", "d")]))
    assert [message["content"] for message in messages[1::2]] == [[new, word], [failed, word]]
    assert [message["content"][0]["text"] for message in messages[2::2]] == ["c", "d"]
    assert len(messages) == 5


def test_without_a_system_prompt_none_is_sent() -> None:
    config = AnthropicConfig(api_key="k")
    for asked in (of([], []), of([], [], " ")):
        assert "system" not in options_of(config, asked, "m", None, set()).fields


def reader_of(model: str) -> Reader:
    return Reader(Tally(model, Prices({}), "5m"))


def read(reader: Reader, name: str | None, **data: object) -> list[Answer]:
    return list(reader.read(name, json.dumps({"type": name, **data})))


def start(reader: Reader, usage: Mapping[str, object] | None = None) -> None:
    read(reader, "message_start", message={"model": "claude-x", "usage": usage or {"input_tokens": 3}})


def test_a_stop_without_a_start_is_no_end() -> None:
    reader = reader_of("m")
    assert read(reader, "message_stop") == []
    assert not reader.finished


def test_a_start_without_a_stop_is_no_end() -> None:
    reader = reader_of("m")
    start(reader)
    assert read(reader, "content_block_delta", index=0, delta={"type": "text_delta", "text": "a"}) == [Delta("a")]
    assert not reader.finished


def finished(reader: Reader) -> Finished:
    assert read(reader, "message_stop") == []
    assert reader.finished
    (last,) = reader.finish()
    assert isinstance(last, Finished)
    return last


def test_blocks_are_put_together_as_the_api_wants_them_back() -> None:
    reader = reader_of("m")
    start(reader)
    redacted = {"type": "redacted_thinking", "data": "xyz"}
    read(reader, "content_block_start", index=0, content_block={"type": "thinking", "thinking": "", "signature": ""})
    for piece in "ab":
        delta = {"type": "thinking_delta", "thinking": piece}
        assert read(reader, "content_block_delta", index=0, delta=delta) == [Thinking(piece)]
    read(reader, "content_block_delta", index=0, delta={"type": "signature_delta", "signature": "sig"})
    read(reader, "content_block_stop", index=0)
    read(reader, "content_block_start", index=1, content_block=redacted)
    read(reader, "content_block_stop", index=1)
    read(reader, "content_block_start", index=2, content_block={"type": "text", "text": ""})
    read(reader, "content_block_delta", index=2, delta={"type": "text_delta", "text": "well"})
    read(reader, "content_block_start", index=3, content_block={"type": "text", "text": ""})
    last = finished(reader)
    assert last.text == "well"
    assert last.blocks == [
        {"type": "thinking", "thinking": "ab", "signature": "sig"},
        redacted,
        {"type": "text", "text": "well"},
    ]


def test_citations_are_kept_with_their_text() -> None:
    reader = reader_of("m")
    start(reader)
    read(reader, "content_block_start", index=0, content_block={"type": "text", "text": "", "citations": None})
    read(reader, "content_block_delta", index=0, delta={"type": "text_delta", "text": "well"})
    read(reader, "content_block_delta", index=0, delta={"type": "citations_delta", "citation": {"n": 1}})
    assert finished(reader).blocks == [{"type": "text", "text": "well", "citations": [{"n": 1}]}]


@pytest.mark.parametrize(
    "data",
    [
        {"index": None, "delta": None},
        {"index": 7, "delta": {"type": "text_delta"}},
        {"delta": {"type": "shimmer", "glow": 1}},
        {"delta": []},
        {},
    ],
)
def test_odd_deltas_are_passed_over(data: dict[str, Any]) -> None:
    reader = reader_of("m")
    start(reader, {"input_tokens": None, "cache_creation": {"ephemeral_5m_input_tokens": 1}})
    assert Delta("") not in read(reader, "content_block_delta", **data)
    read(reader, "message_delta", delta={"stop_reason": "a_new_reason"}, usage=None)
    assert (last := finished(reader)).stop == "end"
    assert last.text == ""


def test_an_error_event_and_broken_data_are_told_apart() -> None:
    with pytest.raises(StreamError) as raised:
        read(reader_of("m"), "error", error={"type": "api_error"})
    assert raised.value.body["error"] == {"type": "api_error"}
    with pytest.raises(ValueError, match="Expecting"):
        list(reader_of("m").read("message_start", "{"))
    assert list(reader_of("m").read(None, "x")) == list(reader_of("m").read("ping", "")) == []


def test_the_operators_line_never_holds_the_key_and_is_one_line() -> None:
    trouble = Trouble(401, kind="authentication_error", message="bad\nkey k1", request_id="req_1")
    assert trouble.describe(hide=["k1"]) == "anthropic_api: 401 authentication_error (req_1): bad key ***"
    assert len(Trouble(500, message="x" * 10_000).describe(hide=[""])) < 400


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "line\nbreak", "nul\0"])
def test_a_key_that_no_header_can_hold_is_told_to_the_operator(key: str) -> None:
    with pytest.raises(Misconfigured) as raised:
        AnthropicApi(AnthropicConfig(api_key=key), NOWHERE)
    assert "ANTHROPIC_API_KEY" in raised.value.detail


def test_the_key_is_not_shown_with_the_configuration() -> None:
    assert "sk-secret" not in repr(AnthropicConfig(api_key="sk-secret"))


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://example.org/a_b?c=d&e=f#g", "https://example.org/a_b?c=d&e=f#g"),
        ("http://example.org", "http://example.org"),
        ("https://example.org/(a)*b>c<d", "https://example.org/%28a%29%2Ab%3Ec%3Cd"),
        ("https://example.org/a b\u202e`x`|y[z]\\", "https://example.org/a%20b%E2%80%AE%60x%60%7Cy%5Bz%5D%5C"),
        ("https://example.org/@everyone", "https://example.org/%40everyone"),
        ("https://example.org/%3E", "https://example.org/%3E"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("HTTPS://example.org/", "https://example.org/"),
        ("https://example.org/a\nb", "https://example.org/ab"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("https://bank.example@evil.example/", None),
        ("https://[::1]/", None),
        ("https://[", None),
        ("https://exa>mple.org/", None),
        ("https://" + "ü" * 300 + ".example", None),
        ("https:///a", None),
        ("", None),
        ("https://example.org/" + "a" * LONGEST, None),
    ],
)
def test_only_plain_addresses_become_links_and_nothing_ends_the_link(url: str, link: str | None) -> None:
    assert safe(url) == link


@given(st.text() | st.builds("https://example.org/{}".format, st.text()))
def test_whatever_an_address_is_its_link_is_one_line_without_markup(url: str) -> None:
    made = safe(url)
    assert made is None or (made.isascii() and made.isprintable() and not set(made) & set(" <>()[]`*|\\@"))


def test_sources_are_numbered_as_they_come_and_each_once_behind_a_text() -> None:
    sources = Sources()
    one, two = {"url": "https://one.example/"}, {"url": "https://two.example/"}
    assert sources.links([two, one, two]) == " ([1](<https://two.example/>), [2](<https://one.example/>))"
    assert sources.links([one]) == " ([2](<https://one.example/>))"
    assert sources.links([{"url": "javascript:x"}, {}]) == sources.links([]) == ""


def test_a_page_is_known_by_its_title_unless_two_have_the_same() -> None:
    sources = Sources()
    sources.fetched("News", "https://one.example/")
    assert sources.links([{"document_title": "News"}]) == " ([1](<https://one.example/>))"
    sources.fetched("News", "https://two.example/")
    assert sources.links([{"document_title": "News"}]) == ""


def test_the_seam_alone_imports_no_library() -> None:
    code = "import sys, shared.backends; sys.exit('anthropic' in sys.modules or 'httpx2' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
