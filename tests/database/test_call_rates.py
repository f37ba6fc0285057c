"""All workers together ask a partner no oftener than it allows (AMZ-5): one atomic statement for each call."""

import threading

import pytest
from sqlalchemy import Engine

from activities.database import CallRates
from models.call_rates import CallRate
from tests.database.story import Story

SLOW = CallRate(per_second=0.5, burst=3)


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rates(story: Story, engine: Engine, clock: Clock) -> CallRates:
    story.connected("acme-amazon", "seller:acme")
    story.connected("own-amazon", "seller:acme")
    return CallRates(engine, clock)


def taken(rates: CallRates, operation: str = "getFeeds", connection: str = "acme-amazon") -> float:
    return rates.take(connection, operation, SLOW)


def test_after_a_rest_a_whole_burst_goes_then_one_call_at_a_time(rates: CallRates, clock: Clock) -> None:
    assert [taken(rates) for _ in range(4)] == [0, 0, 0, pytest.approx(2.0)]
    clock.now += 1.5
    assert taken(rates) == pytest.approx(0.5)
    clock.now += 0.5
    assert [taken(rates), taken(rates)] == [0, pytest.approx(2.0)]
    clock.now += 1000
    assert [taken(rates) for _ in range(4)] == [0, 0, 0, pytest.approx(2.0)]


def test_each_operation_and_each_account_has_a_rate_of_its_own(rates: CallRates) -> None:
    assert [taken(rates) for _ in range(4)][-1] > 0
    assert taken(rates, operation="getFeed") == 0
    assert taken(rates, connection="own-amazon") == 0


def test_what_the_partner_says_in_an_answer_counts(rates: CallRates, clock: Clock) -> None:
    assert taken(rates) == 0
    rates.learn("acme-amazon", "getFeeds", 0.1)
    clock.now += 1000
    assert [taken(rates) for _ in range(4)] == [0, 0, 0, pytest.approx(10.0)]


@pytest.mark.parametrize(("says", "waits"), [(5.0, 0.2), (0.05, 20.0)])
def test_a_rate_that_changes_counts_for_calls_that_are_not_paid_off(
    rates: CallRates, says: float, waits: float
) -> None:
    assert [taken(rates) for _ in range(4)] == [0, 0, 0, pytest.approx(2.0)]
    rates.learn("acme-amazon", "getFeeds", says)
    assert taken(rates) == pytest.approx(waits)


def test_after_a_no_for_too_many_calls_none_goes_for_the_time_of_one(rates: CallRates, clock: Clock) -> None:
    assert taken(rates) == 0
    rates.exhaust("acme-amazon", "getFeeds", SLOW, None)
    assert taken(rates) == pytest.approx(2.0)
    rates.exhaust("acme-amazon", "getFeeds", SLOW, 60.0)
    assert taken(rates) == pytest.approx(60.0)
    clock.now += 60
    assert taken(rates) == 0


def test_of_many_who_ask_at_once_no_more_go_than_the_rate_allows(rates: CallRates) -> None:
    waits: list[float] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        waits.extend(taken(rates) for _ in range(3))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(waits) == 24
    assert sum(wait == 0 for wait in waits) == 3


def test_the_clock_is_the_databases(story: Story, engine: Engine) -> None:
    story.connected("acme-amazon", "seller:acme")
    rates = CallRates(engine)
    assert [taken(rates) for _ in range(3)] == [0, 0, 0]
    assert 1.0 < taken(rates) <= 2.0
