"""Who goes when."""

from hypothesis import given
from hypothesis import strategies as st

from shared.lanes import Lanes


def test_a_busy_lane_lets_every_other_lane_go_between_two_of_its_items() -> None:
    went: list[tuple[str, int]] = []
    lanes = Lanes[str, int](1, lambda key, item: went.append((key, item)))
    for item in range(3):
        lanes.add("busy", item)
    lanes.add("other", 0)
    lanes.add("third", 0)
    for _ in range(5):
        lanes.done(went[-1][0])
    assert went == [("busy", 0), ("other", 0), ("third", 0), ("busy", 1), ("busy", 2)]


def test_a_pause_starts_nothing_more() -> None:
    went: list[int] = []
    lanes = Lanes[str, int](2, lambda key, item: went.append(item))
    lanes.add("a", 1)
    lanes.add("a", 2)
    lanes.pause()
    lanes.add("b", 3)
    lanes.done("a")
    assert went == [1]


@given(
    st.integers(1, 4), st.lists(st.one_of(st.tuples(st.just("add"), st.sampled_from("abcd")), st.just(("done", "")))), st.data()
)
def test_bound_order_and_fairness_hold_whatever_comes(bound: int, moves: list[tuple[str, str]], data: st.DataObject) -> None:
    out: list[str] = []
    went: dict[str, list[int]] = {}
    added: dict[str, list[int]] = {}
    overtaken: dict[str, dict[str, int]] = {}

    def start(key: str, item: int) -> None:
        assert key not in out, "one of a lane at a time"
        out.append(key)
        assert len(out) <= bound
        went.setdefault(key, []).append(item)
        overtaken.pop(key, None)
        for waiting in overtaken.values():
            waiting[key] = waiting.get(key, 0) + 1
            assert waiting[key] <= 1, "a lane that is ready waits for one item of any other at most"

    lanes = Lanes[str, int](bound, start)

    def end() -> None:
        key = data.draw(st.sampled_from(out))
        out.remove(key)
        if len(went[key]) < len(added[key]):
            overtaken[key] = {}
        lanes.done(key)

    for number, (move, key) in enumerate(moves):
        if move == "add":
            if len(added.get(key, [])) == len(went.get(key, [])) and key not in out:
                overtaken[key] = {}
            added.setdefault(key, []).append(number)
            lanes.add(key, number)
        elif out:
            end()
        ready = [key for key in added if len(went.get(key, [])) < len(added[key]) and key not in out]
        assert not ready or len(out) == bound, "nobody waits while there is room"
    while out:
        end()
    assert went == added
