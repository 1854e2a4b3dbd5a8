"""The parser of event streams, against the HTML standard and against itself under any cutting."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.claude_web import EventParser, ProtocolError, ServerSentEvent

PIECES = st.sampled_from(
    [
        b"data",
        b"data:",
        b"data: ",
        b"event: ",
        b"event",
        b"id: 7",
        b"retry: 10",
        b":",
        b": comment",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\r\n\r\n",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xc2",
        "日本語".encode(),
        "😀".encode(),
        "\u2028\x0b\x0c\x85".encode(),
        b"message_start",
        b'{"type":"x"}',
    ]
)
STREAMS = st.one_of(st.lists(PIECES, max_size=40).map(b"".join), st.binary(max_size=80))


def parsed(*pieces: bytes) -> list[ServerSentEvent]:
    parser = EventParser()
    return [event for piece in pieces for event in parser.feed(piece)]


def by_the_standard(stream: bytes) -> list[ServerSentEvent]:
    """The standard's algorithm on a whole stream, word for word."""
    events: list[ServerSentEvent] = []
    data, kind = "", ""
    *lines, _ = re.split("\r\n|\n|\r", stream.decode("utf-8-sig", "replace"))
    for line in lines:
        if line == "":
            if data != "":
                events.append(ServerSentEvent(kind, data[:-1]))
            data, kind = "", ""
            continue
        if line.startswith(":"):
            continue
        field, colon, value = line.partition(":")
        if colon and value.startswith(" "):
            value = value[1:]
        if field == "event":
            kind = value
        elif field == "data":
            data += value + "\n"
    return events


@given(STREAMS, st.lists(st.integers(0, 120), max_size=30))
def test_any_cutting_of_any_stream_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[begin:end] for begin, end in pairwise(edges)]
    assert parsed(*pieces) == parsed(stream)


@given(STREAMS)
def test_single_bytes_give_what_the_standard_says(stream: bytes) -> None:
    assert parsed(*(bytes([byte]) for byte in stream)) == by_the_standard(stream)


@given(
    st.lists(st.tuples(st.text("abc_"), st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))), max_size=8)
)
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_what_is_written_is_read_with_every_line_end(end: str, events: list[tuple[str, str]]) -> None:
    stream = "".join(f"event: {name}{end}data: {data}{end}{end}" for name, data in events)
    assert parsed(stream.encode()) == [ServerSentEvent(name, data) for name, data in events]


def test_a_character_cut_in_two_stays_whole() -> None:
    stream = 'data: {"text":"日本語😀"}\n\n'.encode()
    for cut in range(len(stream)):
        assert parsed(stream[:cut], stream[cut:]) == [ServerSentEvent("", '{"text":"日本語😀"}')]


def test_a_line_feed_after_a_cut_carriage_return_ends_no_second_line() -> None:
    assert parsed(b"event: a\r", b"\ndata: 1\r", b"\n\r", b"\n") == [ServerSentEvent("a", "1")]


def test_an_event_that_the_end_cuts_off_is_not_given() -> None:
    assert parsed(b"data: whole\n\ndata: cut\n") == [ServerSentEvent("", "whole")]


def test_only_the_line_ends_of_the_standard_end_a_line() -> None:
    assert parsed("data: a\u2028b\x0bc\x85d\n\n".encode()) == [ServerSentEvent("", "a\u2028b\x0bc\x85d")]


def test_an_event_without_an_end_does_not_fill_the_memory() -> None:
    parser = EventParser(longest=100)
    parser.feed(b"data: " + b"x" * 90)
    with pytest.raises(ProtocolError, match="100 characters"):
        parser.feed(b"x" * 90)


def test_the_limit_is_for_one_event_and_not_for_the_stream() -> None:
    parser = EventParser(longest=100)
    assert len([event for _ in range(50) for event in parser.feed(b"data: " + b"x" * 90 + b"\n\n")]) == 50


def test_many_pieces_of_one_line_take_no_time_that_grows_with_its_square() -> None:
    parser = EventParser()
    piece = b"x" * 64
    parser.feed(b"data: ")
    for _ in range(100_000):
        parser.feed(piece)
    (event,) = parser.feed(b"\n\n")
    assert len(event.data) == 6_400_000


def test_bytes_that_are_no_text_are_marked_and_not_left_out() -> None:
    assert parsed(b"data: a\xffb\xc2", b"\n\n") == [ServerSentEvent("", "a\ufffdb\ufffd")]
