"""By which connection an order is charged: decided once, and kept before the gateway is asked (ORD-3, REF-6)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError
from temporalio.exceptions import ApplicationError

from activities.database import ConnectionRegister
from models.charges import ChargeConnection, ChooseConnection
from models.connections import BROKER, Connection
from models.payments import PaidBy
from models.returns import OpenedReturn
from starter.ops.local_connections import sandbox_connections
from tests.connections import NOWHERE, key
from tests.database.story import Story

OLD = ChargeConnection(connection_id="broker-stripe", provider=PaidBy.STRIPE)
ASK = ChooseConnection(order_id="1001")


def without_one(story: Story) -> Story:
    story.connected("broker-stripe", BROKER, active=False)
    return story


def test_ORD_3_it_is_the_brokers_newest_when_the_order_is_opened_and_stays_so(story: Story) -> None:
    assert story.ordered(("A", 1, "50.00")).charge_connection == OLD
    story.connected("broker-paypal", BROKER, provider="paypal")
    story.connected("broker-stripe", BROKER, active=False)
    assert story.ordered(("A", 1, "50.00")).charge_connection == OLD, "the same run asks again"
    assert story.database.choose_connection(ASK) == OLD


def test_NTF_9_while_there_is_none_staff_are_told_how_to_add_one(story: Story) -> None:
    assert without_one(story).ordered(("A", 1, "50.00")).charge_connection is None
    with pytest.raises(
        ApplicationError, match="no active payments connection that charges sellers in USD: import one"
    ) as waits:
        story.database.choose_connection(ASK)
    assert (waits.value.type, waits.value.non_retryable) == ("ConnectionUnusable", True)
    assert waits.value.details == ({"partner": "broker"},)


def test_REF_6_it_is_decided_once_whatever_is_newer_when_it_is_asked_again(story: Story) -> None:
    without_one(story).ordered(("A", 1, "50.00"))
    story.connected("broker-stripe", BROKER)
    assert story.database.choose_connection(ASK) == OLD
    story.connected("broker-paypal", BROKER, provider="paypal")
    assert story.database.choose_connection(ASK) == OLD
    assert story.ordered(("A", 1, "50.00")).charge_connection == OLD, "a run that was reset knows it too"


def test_REF_6_the_database_itself_lets_nobody_change_what_was_decided(story: Story, engine: Engine) -> None:
    story.ordered(("A", 1, "50.00"))
    story.connected("broker-paypal", BROKER, provider="paypal")
    for other in ("'broker-paypal'", "NULL"):
        with pytest.raises(DatabaseError, match="tr_orders_is_written_once"), engine.begin() as connection:
            connection.execute(text(f"UPDATE orders SET charge_connection_id = {other}"))


def test_REF_14_it_is_one_that_charges_in_the_orders_currency(story: Story) -> None:
    story.connected("broker-net", BROKER, provider="authorize_net", options={"login": "us"})
    story.connected("broker-paypal", BROKER, provider="paypal", options={"client_id": "us"})
    chosen = {
        currency: by.connection_id
        for order_id, currency in (("1", "KWD"), ("2", "EUR"), ("3", "USD"))
        if (by := story.ordered(("A", 1, "50.00"), order_id=order_id, currency=currency).charge_connection)
    }
    assert chosen == {"KWD": "broker-stripe", "EUR": "broker-paypal", "USD": "broker-paypal"}


@pytest.mark.parametrize(("currency", "by"), [("KWD", PaidBy.STRIPE), ("USD", None)])
def test_REF_14_a_return_knows_by_which_gateway_the_seller_was_charged(
    story: Story, currency: str, by: PaidBy | None
) -> None:
    story.delivered(("A", 1, "50.00"), currency=currency)
    opened = story.returning("RR-1", A=1).opened
    assert isinstance(opened, OpenedReturn)
    assert opened.charge_gateway is by


def test_of_many_who_add_the_same_connections_at_once_all_find_them(engine: Engine) -> None:
    register = ConnectionRegister(engine)
    before = len(register.all())
    for number in range(5):
        barrier = Barrier(6)
        connections = [
            one.model_copy(update={"connection_id": f"{one.connection_id}-{number}"})
            for one in sandbox_connections(NOWHERE, key())
        ]

        def put(wait: Barrier = barrier, new: list[Connection] = connections) -> None:
            wait.wait()
            register.put(new)

        with ThreadPoolExecutor(6) as people:
            for one in [people.submit(put) for _ in range(6)]:
                one.result()
        assert len(register.all()) - before == len(connections) * (number + 1)
