"""One partner that is full or out of order: who is let in, and when everybody may ask again."""

import asyncio
import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.connectors.bulkhead import Bulkhead, Limits, NotAsked, retry_delay
from activities.connectors.channels import Channels
from activities.connectors.paypal.gateway import PayPalGateway
from activities.connectors.suppliers import Suppliers
from models.connections import Provider
from models.partners import AnnounceTracking, RequestRma
from models.settings import Settings
from tests.connections import NOWHERE, connections
from tests.connectors.gateway_calls import access, refund

LIMITS = Limits(at_once=2, failures=3, first_pause=1, longest_pause=4)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Line:
    """A bulkhead with a clock of its own and no luck: whoever is turned away comes back as soon as possible."""

    def __init__(self, limits: Limits = LIMITS, luck: float = 0.0) -> None:
        self.clock = Clock()
        self.bulkhead = Bulkhead("shop", limits, self.clock, lambda: luck, self.now)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.clock.now - 1000)

    async def fails(self, times: int = 1, party: str = "", wanted_pause: timedelta | None = None) -> None:
        for _ in range(times):
            async with self.bulkhead.attempt(party) as attempt:
                attempt.failed("answered 503", wanted_pause)

    async def answers(self, party: str = "") -> None:
        async with self.bulkhead.attempt(party) as attempt:
            attempt.answered()

    async def turns_away(self, party: str = "") -> NotAsked:
        with pytest.raises(NotAsked) as raised:
            async with self.bulkhead.attempt(party):
                pass
        return raised.value


async def test_no_more_calls_are_under_way_than_there_are_places() -> None:
    line = Line()
    async with line.bulkhead.attempt(), line.bulkhead.attempt():
        refused = await line.turns_away()
        assert (refused.why, refused.retry_after) == ("has 2 calls of ours to answer first", None)
    await line.answers()


async def test_a_call_waits_for_a_place_at_a_partner_that_answers() -> None:
    line = Line()
    await line.answers()
    places = [line.bulkhead.attempt() for _ in range(3)]
    for place in places[:2]:
        await place.__aenter__()
    third = asyncio.create_task(places[2].__aenter__())
    await asyncio.sleep(0)
    assert not third.done()
    await places[0].__aexit__(None, None, None)
    assert not (await third).probes


async def test_a_partner_that_fails_in_a_row_is_left_alone_and_the_call_is_told_for_how_long() -> None:
    line = Line()
    await line.fails(3)
    refused = await line.turns_away()
    since = "is out of order since 2026-03-02 12:00 UTC"
    assert refused.why == f"answered 503, {since}, and is not asked for a while"
    assert refused.retry_after == timedelta(seconds=1)


async def test_since_when_a_partner_is_out_of_order_is_told_until_it_answers() -> None:
    line = Line()
    await line.fails(3)
    line.clock.now += 3600
    await line.fails()
    assert "since 2026-03-02 12:00 UTC" in (await line.turns_away()).why
    line.clock.now += 3600
    await line.answers()
    await line.fails(3)
    assert "since 2026-03-02 14:00 UTC" in (await line.turns_away()).why


async def test_a_partner_that_says_for_how_long_is_left_alone_for_as_long() -> None:
    line = Line()
    await line.fails(3, wanted_pause=timedelta(hours=2))
    assert (await line.turns_away()).retry_after == timedelta(hours=2)


async def test_a_party_that_hangs_leaves_places_for_the_others() -> None:
    line = Line(Limits(at_once=5, failures=3, first_pause=1, longest_pause=4, per_party=2))
    async with line.bulkhead.attempt("brembo"), line.bulkhead.attempt("brembo"):
        refused = await line.turns_away("brembo")
        assert (refused.why, refused.retry_after) == ("has 2 calls of ours to answer first", None)
        await line.answers("bosch")


async def test_a_party_that_is_out_of_order_is_not_the_outage_of_the_others() -> None:
    line = Line()
    await line.fails(3, "brembo")
    await line.turns_away("brembo")
    await line.answers("bosch")
    await line.turns_away("brembo")


async def test_all_parties_together_have_no_more_calls_than_there_are_places() -> None:
    line = Line(Limits(at_once=2, failures=3, first_pause=1, longest_pause=4, per_party=2))
    async with line.bulkhead.attempt("brembo"), line.bulkhead.attempt("bosch"):
        await line.turns_away("valeo")
    await line.answers("valeo")


async def test_those_who_wait_come_back_spread_over_as_long_again() -> None:
    line = Line(luck=0.5)
    await line.fails(3)
    assert (await line.turns_away()).retry_after == timedelta(seconds=1.5)


async def test_an_answer_between_failures_keeps_the_line_open() -> None:
    line = Line()
    for _ in range(5):
        await line.fails(2)
        await line.answers()


async def test_one_call_tries_whether_the_partner_is_back_and_no_other_meanwhile() -> None:
    line = Line()
    await line.fails(3)
    line.clock.now += 1
    async with line.bulkhead.attempt() as probe:
        assert probe.probes
        assert (await line.turns_away()).retry_after == timedelta(seconds=1)
        probe.answered()
    async with line.bulkhead.attempt() as first, line.bulkhead.attempt() as second:
        assert (first.probes, second.probes) == (False, False)


async def test_each_try_that_fails_doubles_the_pause_up_to_the_longest() -> None:
    line = Line()
    await line.fails(3)
    for pause in (1, 2, 4, 4):
        assert (await line.turns_away()).retry_after == timedelta(seconds=pause)
        line.clock.now += pause
        await line.fails()


async def test_after_an_answer_the_pauses_begin_anew() -> None:
    line = Line()
    await line.fails(3)
    line.clock.now += 1
    await line.fails()
    line.clock.now += 2
    await line.answers()
    await line.fails(3)
    assert (await line.turns_away()).retry_after == timedelta(seconds=1)


async def test_a_try_that_was_given_up_says_nothing_and_the_next_one_tries() -> None:
    line = Line()
    await line.fails(3)
    line.clock.now += 1
    with pytest.raises(TimeoutError):
        async with line.bulkhead.attempt():
            raise TimeoutError
    async with line.bulkhead.attempt() as probe:
        assert probe.probes


async def test_calls_that_were_under_way_before_make_the_pause_no_longer() -> None:
    line = Line(Limits(at_once=9, failures=3, first_pause=1, longest_pause=4))
    async with line.bulkhead.attempt() as early:
        await line.fails(3)
        line.clock.now += 0.5
        early.failed("did not answer in time")
    assert (await line.turns_away()).retry_after == timedelta(seconds=0.5)


async def test_a_late_answer_of_a_call_from_before_shows_that_the_partner_is_back() -> None:
    line = Line(Limits(at_once=9, failures=3, first_pause=1, longest_pause=4))
    async with line.bulkhead.attempt() as early:
        await line.fails(3)
        early.answered()
    await line.answers()


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (6, 32), (7, 60), (1000, 60)])
def test_retries_come_later_each_time_and_never_all_at_once(attempt: int, seconds: int) -> None:
    assert retry_delay(attempt, randomly=lambda: 0.0) == timedelta(seconds=seconds / 2)
    assert retry_delay(attempt, randomly=lambda: 0.5) == timedelta(seconds=seconds)


# ---- as an activity meets it ----

TRACKING = AnnounceTracking.model_validate(
    {
        "order_id": "1001",
        "seller_id": "acme",
        "channel": "web_shop",
        "shipment_id": "S-1",
        "carrier": "UPS",
        "tracking_number": "1Z",
        "lines": [{"sku": "BRK-100", "quantity": 1}],
    }
)


class Sick:
    """A shop that answers this status, and counts how often it was asked."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.asked = 0
        self.status = status
        self.headers = headers or {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.status, headers=self.headers)


async def failures(
    activities: ActivityEnvironment, sick: Sick, times: int, settings: Settings | None = None
) -> list[ApplicationError]:
    shop = Channels(connections(httpx.MockTransport(sick), settings))
    errors = []
    for _ in range(times):
        with pytest.raises(ApplicationError) as raised:
            await activities.run(shop.announce_tracking, TRACKING)
        errors.append(raised.value)
    return errors


async def test_RET_16_a_sick_partner_is_asked_five_times_and_then_left_alone(
    activities: ActivityEnvironment,
) -> None:
    sick = Sick(503)
    last = (await failures(activities, sick, 20))[-1]
    assert sick.asked == 5
    assert (last.type, last.non_retryable) == ("PartnerUnavailable", False)
    said = re.sub(r"since \S+ \S+ UTC", "since T", last.message)
    assert said == (
        "the shop answered 503, is out of order since T, and is not asked for a while: announce a tracking number"
    )
    assert last.next_retry_delay is not None
    assert timedelta(0) < last.next_retry_delay <= timedelta(seconds=2)


@pytest.mark.parametrize("status", [401, 409, 429])
async def test_RET_16_a_partner_that_says_no_or_later_is_not_out_of_order(
    activities: ActivityEnvironment, status: int
) -> None:
    sick = Sick(status)
    await failures(activities, sick, 20)
    assert sick.asked == 20


async def test_RET_16_the_pause_that_a_partner_asks_for_keeps_its_whole_length(
    activities: ActivityEnvironment,
) -> None:
    (error,) = await failures(activities, Sick(429, {"Retry-After": "7200"}), 1)
    assert error.next_retry_delay == timedelta(hours=2)
    assert error.non_retryable, "the case waits, not the server's retries"


async def test_RET_16_a_full_line_is_no_failure_of_the_partner_and_tried_again_soon(
    activities: ActivityEnvironment,
) -> None:
    partners = connections(httpx.MockTransport(Sick(200)), Settings(partner_calls_at_once=1))
    shop = Channels(partners)
    bulkhead = partners._clients.bulkhead("shop", httpx.URL(NOWHERE))
    async with bulkhead.attempt(TRACKING.seller_id):
        with pytest.raises(ApplicationError) as raised:
            await activities.run(shop.announce_tracking, TRACKING)
    assert raised.value.message == "the shop has 1 calls of ours to answer first: announce a tracking number"
    assert raised.value.next_retry_delay is not None
    assert raised.value.next_retry_delay <= timedelta(seconds=1.5)


async def test_RET_16_a_shop_that_wants_to_be_left_alone_is_left_alone_by_all_cases(
    activities: ActivityEnvironment,
) -> None:
    sick = Sick(503, {"Retry-After": "7200"})
    last = (await failures(activities, sick, 20))[-1]
    assert sick.asked == 5
    assert last.next_retry_delay is not None
    assert last.next_retry_delay > timedelta(minutes=119)
    assert last.non_retryable, "the case waits, and shows it"


async def test_RET_16_one_supplier_in_trouble_is_named_and_others_are_asked(
    activities: ActivityEnvironment,
) -> None:
    sick = Sick(503)
    suppliers = Suppliers(connections(httpx.MockTransport(sick)))
    for number in range(12):
        with pytest.raises(ApplicationError) as raised:
            await activities.run(suppliers.request_rma, rma_request("bosch" if number % 2 else "brembo"))
        assert raised.value.details[0].partner == ("supplier bosch" if number % 2 else "supplier brembo")
    assert sick.asked == 10, "five of each, and then none"


def rma_request(supplier_id: str) -> RequestRma:
    return RequestRma.model_validate(
        {
            "return_id": "RR-1",
            "supplier_id": supplier_id,
            "supplier_order_number": "1001-1",
            "lines": [{"sku": "BRK-100", "quantity": 1}],
            "reasons": ["damaged"],
        }
    )


# ---- a partner's sign-in, for which all calls of an account wait ----


class _Silent(httpx.AsyncBaseTransport):
    """A PayPal that never answers a sign-in."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError("never")


async def test_NTF_9_a_sign_in_that_hangs_keeps_no_others_from_their_places_in_the_queue() -> None:
    """All calls of one account wait for one token: 200 of them must not fill the 50 places of all gateways."""
    to_silence = access(Provider.PAYPAL, "http://127.0.0.1:1", "test-secret", _Silent(), client_id="acme")
    paypal = PayPalGateway(to_silence)
    calls = [
        asyncio.create_task(paypal.refund(refund("8MC585209K746392H", f"RF-{number}", "1.00"), looks=False))
        for number in range(200)
    ]
    ended, waiting = await asyncio.wait(calls, timeout=2)
    assert (len(ended), len(waiting)) == (199, 1), "only the one that signs in waits for PayPal"
    for call in ended:
        error = call.exception()
        assert isinstance(error, ApplicationError)
        assert error.type == "PartnerUnavailable"
    for call in waiting:
        call.cancel()
    await asyncio.wait(waiting)
    await to_silence.clients.aclose()
