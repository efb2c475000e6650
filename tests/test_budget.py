"""A request may cost so much and no more: loops stop, the whole is foreseen from a part of it, and
what has begun to arrive is not refused any more.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tutor import budget
from tutor.budget import Budget, OverBudgetError

CLOCK = [0.0]
"""What the processor's clock shows in these tests."""


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "thread_time", lambda: CLOCK[0])
    CLOCK[0] = 100.0


def work(seconds: float) -> None:
    CLOCK[0] += seconds


def pieces(*costs: float) -> Iterator[str]:
    for n, seconds in enumerate(costs):
        work(seconds)
        yield str(n)


def loop(seconds: float) -> int:
    """A loop of a hundred rounds; how far it gets."""
    for n in range(100):
        try:
            budget.check()
        except OverBudgetError as error:
            error.add_note(str(n))
            raise
        work(seconds)
    return 100


def test_without_a_budget_nothing_is_limited() -> None:
    assert budget.current() is None
    assert loop(1e9) == 100
    assert list(budget.begun(budget.foreseen(pieces(1e9, 1e9), 2))) == ["0", "1"]


def test_a_loop_stops_when_the_time_is_used_up_and_says_how_much_that_was() -> None:
    allowed = Budget(0.5, "This page", "Take an earlier iteration.")
    with allowed.running(), pytest.raises(OverBudgetError) as caught:
        loop(0.125)
    assert caught.value.__notes__ == ["5"]
    assert str(caught.value) == (
        "This page takes more than 0.5 seconds of the server’s time for one request. "
        "Take an earlier iteration."
    )


def test_time_is_counted_while_the_budget_runs_and_added_up() -> None:
    allowed = Budget(10, "This page")
    with allowed.running():
        work(1)
        assert allowed.spent == 1
    work(50)
    with allowed.running():
        assert budget.current() is allowed
        work(2)
    assert budget.current() is None
    assert allowed.spent == 3


def test_the_whole_is_foreseen_from_a_tenth_of_the_budget() -> None:
    allowed = Budget(2, "This file")
    with allowed.running(), pytest.raises(OverBudgetError) as caught:
        budget.begun(budget.foreseen(pieces(*[0.125] * 400), 400))
    assert str(caught.value) == (
        "This file would take about 50 seconds, and 2 seconds is the most of the server’s time "
        "for one request."
    )
    assert allowed.spent == 0.25


def test_what_came_before_the_parts_and_the_first_one_do_not_count_for_the_others() -> None:
    allowed = Budget(2, "This file")
    with allowed.running():
        work(1)
        parts = [0.25, *[0.0625] * 10]
        assert len(list(budget.begun(budget.foreseen(pieces(*parts), 11)))) == 11
    assert allowed.foreseen
    assert allowed.spent == 1.875


def test_what_came_before_counts_once() -> None:
    allowed = Budget(2, "This file")
    with allowed.running():
        work(1)
        with pytest.raises(OverBudgetError, match=r"about 2\.8 seconds"):
            budget.begun(budget.foreseen(pieces(*[0.125] * 14), 14))


def test_work_that_was_counted_before_is_not_refused_by_the_clock_but_ends_some_time() -> None:
    allowed = Budget(2, "This file")
    with allowed.running():
        budget.counted()
        made = budget.begun(budget.foreseen(pieces(*[0.25] * 40), 40))
        assert allowed.spent == 0.25
        assert [next(made) for _ in range(16)] == [str(n) for n in range(16)]
        with pytest.raises(OverBudgetError):
            list(made)


def test_what_fits_is_made_with_its_first_pieces_ready() -> None:
    allowed = Budget(2, "This file")
    with allowed.running():
        made = budget.begun(budget.foreseen(pieces(*[0.125] * 16), 16))
        assert allowed.begun
        assert allowed.spent == 0.25
    with allowed.running():
        assert list(made) == [str(n) for n in range(16)]


def test_a_whole_that_is_a_little_over_is_made() -> None:
    allowed = Budget(2, "This file")
    with allowed.running():
        assert len(list(budget.begun(budget.foreseen(pieces(*[0.125] * 19), 19)))) == 19


def test_what_has_begun_to_arrive_may_take_longer_but_not_for_ever() -> None:
    allowed = Budget(2, "This file")
    with allowed.running():
        made = budget.begun(budget.foreseen(pieces(*[0.25] * 4, *[1.0] * 9), 5))
        assert [next(made) for _ in range(6)] == ["0", "1", "2", "3", "4", "5"]
        with pytest.raises(OverBudgetError):
            list(made)
    assert allowed.spent == 5


def test_others_may_go_first_now_and_then() -> None:
    paused: list[float] = []
    allowed = Budget(1000, "This file", pause=lambda: paused.append(allowed.spent))
    with allowed.running():
        loop(budget.PAUSE / 4)
    assert 15 <= len(paused) <= 20


def test_who_only_gives_way_is_never_over_the_budget() -> None:
    let = []
    allowed = Budget(0.0, "a page", pause=lambda: let.append(1))
    with allowed.running():
        for _ in range(5):
            work(2 * budget.PAUSE)
            budget.give_way()
    assert let == [1] * 5
    budget.give_way()
