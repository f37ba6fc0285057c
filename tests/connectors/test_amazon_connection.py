"""A connection to Amazon: what its options say, what is refused in words, and what it can't do yet."""

from datetime import date
from typing import Any

import httpx
import pytest
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.account_schedules import ORDERS_EVERY, SETTLEMENTS_EVERY, wanted
from activities.connectors.channels import Channels
from activities.connectors.connections import Connections
from models.amazon.reasons import refund_reason
from models.connections import BROKER, Connection, amazon_options, serves_channel
from models.partners import StopShipping
from models.settings import Settings
from tests.amazon_account import OPTIONS, amazon
from tests.connections import NOWHERE, FixedDirectory, key


def test_AMZ_5_its_settings_have_defaults_and_are_read_from_words() -> None:
    options = amazon_options(amazon())
    assert options.marketplaces == ("ATVPDKIKX0DER", "A2EUQ1WTGCTBG2")
    assert (options.host, options.batch_minutes) == ("https://sellingpartnerapi-na.amazon.com", 30)
    assert (options.return_days_back, options.queue, options.auto_submit) == (30, False, False)
    chosen = amazon_options(amazon(options={"queue": "true", "auto_submit": "true", "batch_minutes": "45"}))
    assert (chosen.queue, chosen.auto_submit, chosen.batch_pause.total_seconds()) == (True, True, 2700)


def test_CAN_7_orders_are_asked_for_by_a_schedule_where_the_account_says_so() -> None:
    assert list(wanted(amazon())) == []
    (orders,) = wanted(amazon(options={"import_orders": "true"}))
    assert (orders.schedule_id, orders.workflow, orders.every) == (
        "amazon-orders-amazon-acme",
        "OrdersDue",
        ORDERS_EVERY,
    )
    both = wanted(amazon(options={"import_orders": "true", "import_returns": "true"}))
    assert len({one.workflow_id for one in both}) == 2
    assert amazon_options(amazon()).answer_days == 2


def test_AMZ_8_settlements_are_looked_for_by_a_schedule_where_the_account_says_so() -> None:
    (settlements,) = wanted(amazon(options={"import_settlements": "true"}))
    assert (settlements.schedule_id, settlements.workflow, settlements.every) == (
        "amazon-settlements-amazon-acme",
        "SettlementsDue",
        SETTLEMENTS_EVERY,
    )
    assert amazon_options(amazon()).settlements_from is None
    chosen = amazon_options(amazon(options={"settlements_from": "2026-11-01"}))
    assert chosen.settlements_from == date(2026, 11, 1)


def test_a_marketplace_that_amazon_adds_later_is_named_by_its_id() -> None:
    options = amazon_options(amazon(options={"region": "eu", "marketplaces": "uk A1NEWMARKET99 GB"}))
    assert options.marketplaces == ("A1F83G8C2ARO7P", "A1NEWMARKET99")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no client id": ({"options": OPTIONS | {"client_id": ""}}, "options.client_id"),
    "a secret itself": ({"options": {"client_secret": "verysecret"}}, "options.client_secret: say where"),
    "another region's": ({"options": {"marketplaces": "US DE"}}, "marketplace DE (A1PA6795UKMFR9) is of the"),
    "no marketplace": ({"options": {"marketplaces": "Mars"}}, "options.marketplaces: name marketplaces by"),
    "no region": ({"options": {"region": "moon"}}, "options.region"),
    "an option that there isn't": ({"options": {"colour": "red"}}, "options.colour"),
    "sooner than Amazon takes it": ({"options": {"batch_minutes": "5"}}, "options.batch_minutes"),
    "sending what is not queued": ({"options": {"auto_submit": "true"}}, "auto_submit sends the queue"),
    "settlements from no day": ({"options": {"settlements_from": "soon"}}, "options.settlements_from"),
    "an answer after a year": ({"options": {"answer_days": "365"}}, "options.answer_days"),
    "a reason that Amazon has not": ({"options": {"refund_reasons": "damaged=Because"}}, "refund_reasons"),
    "a reason without Amazon's": ({"options": {"cancel_reasons": "no_stock"}}, "say REASON=AMAZONS_REASON"),
    "the broker's": ({"owner": BROKER}, "an account at Amazon is a seller's"),
    "no merchant id": ({"account": None}, "account: Amazon's merchant id"),
}


@pytest.mark.parametrize(("wrong", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said_in_words_and_never_quotes_a_secret(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        amazon(**wrong)
    assert words in str(refused.value)
    assert "verysecret" not in str(refused.value)


def test_RET_21_a_seller_changes_the_table_of_reasons_by_an_option() -> None:
    table = amazon_options(amazon(options={"refund_reasons": "damaged=PriceError bad_day=Other"})).refund_reasons
    assert [refund_reason(said, table).value for said in ("damaged", "bad day", "defective")] == [
        *("PriceError", "Other", "CustomerReturn")
    ]


def test_it_is_for_orders_of_amazon_alone() -> None:
    assert serves_channel(amazon(), "amazon")
    assert not serves_channel(amazon(), "web_shop")


def shop(owner: str) -> Connection:
    told = {"connection_id": "shop", "kind": "channel", "provider": "shop_json", "owner": owner}
    return Connection.model_validate({**told, "base_url": f"{NOWHERE}/shop", "secret": key()})


STOP = StopShipping(order_id="1001", seller_id="acme", channel="amazon", channel_order_id="111-1", reason="x")


async def test_ORD_9_where_amazon_alone_could_be_told_the_case_waits_and_says_so(
    activities: ActivityEnvironment,
) -> None:
    channels = Channels(Connections(FixedDirectory(amazon()), Settings()))
    with pytest.raises(ApplicationError, match="amazon-acme of seller:acme neither announces") as raised:
        await activities.run(channels.stop_shipping, STOP)
    assert raised.value.type == "ConnectionUnusable"


class Queue:
    """Takes cancellations, unless it knows no account."""

    def __init__(self, *, takes: bool) -> None:
        self.takes = takes
        self.asked: list[str] = []

    async def cancel(self, ask: StopShipping) -> bool:
        self.asked.append(ask.order_id)
        return self.takes


async def test_AMZ_5_where_amazon_alone_could_be_told_a_cancellation_goes_into_its_queue(
    activities: ActivityEnvironment,
) -> None:
    queue = Queue(takes=True)
    channels = Channels(Connections(FixedDirectory(amazon()), Settings()), queue)
    await activities.run(channels.stop_shipping, STOP)
    assert queue.asked == ["1001"]
    nobody = Channels(Connections(FixedDirectory(amazon()), Settings()), Queue(takes=False))
    with pytest.raises(ApplicationError, match="neither announces"):
        await activities.run(nobody.stop_shipping, STOP)


async def test_CAN_9_what_amazon_is_not_to_be_told_does_not_go_into_its_queue(
    activities: ActivityEnvironment,
) -> None:
    queue = Queue(takes=True)
    channels = Channels(Connections(FixedDirectory(amazon()), Settings()), queue)
    await activities.run(channels.stop_shipping, STOP.model_copy(update={"without_sending": True}))
    assert queue.asked == []


@pytest.mark.parametrize("owner", ["seller:acme", BROKER])
async def test_ORD_9_a_shop_that_passes_it_on_is_told_beside_an_account_at_amazon(
    activities: ActivityEnvironment, owner: str
) -> None:
    told: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        told.append(request.url.path)
        return httpx.Response(200, json={})

    directory = FixedDirectory(shop(owner), amazon())
    await activities.run(
        Channels(Connections(directory, Settings(), httpx.MockTransport(respond))).stop_shipping, STOP
    )
    assert len(told) == 1
