from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sandbox.discord.limits import Limits, Window, bucket_hash

steps = st.lists(st.integers(0, 40), max_size=60)


def brute_force(times: Sequence[int], calls: int, length: int) -> list[bool]:
    """Goes through time tick by tick: a window opens with a call while none is open, and closes `length` ticks later."""
    allowed: list[bool] = []
    left = used = 0
    position = 0
    for tick in range(max(times, default=0) + 1):
        while position < len(times) and times[position] == tick:
            if left == 0:
                left, used = length, 0
            used += 1
            allowed.append(used <= calls)
            position += 1
        left = max(0, left - 1)
    return allowed


def running_sum(gaps: Sequence[int]) -> list[int]:
    total = 0
    return [total := total + gap for gap in gaps]


@given(gaps=steps, calls=st.integers(1, 6), length=st.integers(1, 50))
def test_a_window_agrees_with_counting_tick_by_tick(gaps: list[int], calls: int, length: int) -> None:
    times = running_sum(gaps)
    window = Window(calls, float(length))
    assert [window.take(float(each)) for each in times] == brute_force(times, calls, length)


@given(gaps=steps, calls=st.integers(1, 6), length=st.integers(1, 50))
def test_waiting_as_long_as_the_window_says_always_lets_the_next_call_through(gaps: list[int], calls: int, length: int) -> None:
    window = Window(calls, float(length))
    now = 0.0
    for gap in gaps:
        now += gap
        if not window.take(now):
            now += window.left(now)
            assert window.take(now)


@given(
    asked=st.lists(st.tuples(st.integers(0, 10), st.sampled_from("ab"), st.integers(1, 3)), max_size=60),
    overall=st.integers(1, 8),
)
def test_buckets_and_the_overall_limit_agree_with_windows_of_their_own(asked: list[tuple[int, str, int]], overall: int) -> None:
    limits = Limits((overall, 20.0))
    whole = Window(overall, 20.0)
    each: dict[tuple[str, int], Window] = {}
    now = refused = 0
    for gap, group, channel in asked:
        now += gap
        window = each.setdefault((group, channel), Window(3, 30.0))
        scope = "global" if not whole.take(now) else None if window.take(now) else "user"
        refused += scope is not None
        taken = limits.take(group, str(channel), (3, 30.0), now)
        assert (taken.scope, taken.remaining, taken.bucket) == (scope, window.remaining, bucket_hash(group))
    assert limits.suffered == refused
