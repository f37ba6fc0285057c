"""Every way in which a partner can fail, and what becomes of it (docs/partner-api.md)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.connectors.asked_pauses import LONGEST_PAUSE, retry_after
from activities.connectors.channels import Channels
from activities.connectors.http import Trouble
from models.partners import AnnounceTracking
from tests.connections import connections

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
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
Respond = Callable[[httpx.Request], httpx.Response]


async def failure_of(activities: ActivityEnvironment, respond: Respond) -> ApplicationError:
    """What announcing a tracking number raises when the shop responds so."""
    shop = Channels(connections(httpx.MockTransport(respond)))
    with pytest.raises(ApplicationError) as raised:
        await activities.run(shop.announce_tracking, TRACKING)
    return raised.value


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_RET_16_a_partner_that_says_later_is_tried_again(
    activities: ActivityEnvironment, status: int
) -> None:
    error = await failure_of(activities, lambda _: httpx.Response(status, headers={"Retry-After": "17"}))
    assert (error.type, error.non_retryable) == ("PartnerUnavailable", False)
    assert error.next_retry_delay == timedelta(seconds=17)
    assert error.message == f"the shop answered {status}: announce a tracking number"


@pytest.mark.parametrize(
    "trouble", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, httpx.PoolTimeout]
)
async def test_RET_16_a_partner_that_does_not_answer_is_tried_again(
    activities: ActivityEnvironment, trouble: type[httpx.TransportError]
) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise trouble("to shop.example with sk_secret")

    error = await failure_of(activities, respond)
    assert (error.type, error.non_retryable) == ("PartnerUnavailable", False)
    assert error.next_retry_delay is not None
    assert timedelta(seconds=0.5) <= error.next_retry_delay <= timedelta(seconds=1.5)
    assert "sk_secret" not in repr(error) + repr(error.__cause__)


@pytest.mark.parametrize("status", [301, 400, 403, 404, 409, 422])
async def test_RET_16_a_partner_that_says_no_is_not_asked_again(
    activities: ActivityEnvironment, status: int
) -> None:
    body = {"error": {"code": "seller_unknown", "message": "no seller jane@acme.example"}}
    error = await failure_of(activities, lambda _: httpx.Response(status, json=body))
    assert (error.type, error.non_retryable) == ("RefusedByPartner", True)
    assert error.message == f"the shop refused: announce a tracking number ({status}, seller_unknown)"
    assert error.details == (
        Trouble(
            who_acts="staff talk to the partner",
            partner="shop",
            call="announce a tracking number",
            status=status,
            code="seller_unknown",
        ),
    )


@pytest.mark.parametrize(
    "body",
    ["", "<html>sk_secret</html>", '{"error": "jane@acme.example"}', '{"error": {"code": "no jane at home"}}'],
)
async def test_RET_16_an_error_repeats_nothing_personal_of_the_answer(
    activities: ActivityEnvironment, body: str
) -> None:
    error = await failure_of(activities, lambda _: httpx.Response(400, text=body))
    assert error.message == "the shop refused: announce a tracking number (400)"


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, None),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "2.5"}, timedelta(seconds=2.5)),
        ({"Retry-After": "999999999"}, LONGEST_PAUSE),
        ({"Retry-After": "Sun, 01 Mar 2026 12:02:00 GMT"}, timedelta(minutes=2)),
        ({"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT"}, None),
        (
            {"Retry-After": "Sun, 01 Mar 2026 15:00:30 GMT", "Date": "Sun, 01 Mar 2026 15:00:00 GMT"},
            timedelta(seconds=30),
        ),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
    ],
)
def test_RET_16_the_pause_that_a_partner_asks_for_is_kept(
    headers: dict[str, str], pause: timedelta | None
) -> None:
    assert retry_after(httpx.Response(429, headers=headers), NOW) == pause
