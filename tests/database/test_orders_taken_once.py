"""The channel's order is taken once, whatever its id here, and a payment belongs to one order (ORD-17, REF-3)."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError
from typer.testing import CliRunner, Result

from models.orders import OrderRequest
from starter.cli.assembly import app
from starter.client.start import Opened
from tests.database.story import Story, order_request

LINE = ("A", 1, "10.00")


def opened(story: Story, order_id: str, run: str = "run-1", **fields: Any) -> tuple[str, str]:
    answer = story.order_request_opened(order_request(LINE, order_id=order_id, **fields), run)
    return answer.opening.value, answer.reason or ""


def test_ORD_17_the_channels_order_comes_again_under_another_id_and_says_the_same(story: Story) -> None:
    payment = {"paid_by": "stripe", "reference": "pi_x", "amount": "10.00", "currency": "USD"}
    assert opened(story, "1001", channel_order_id="#1071", payment=payment) == ("opened", "")
    opening, reason = opened(story, "2002", channel_order_id="1071", payment=payment)
    assert opening == "duplicate"
    assert "taken before as order 1001, and says the same" in reason


def test_ORD_17_ORD_21_what_is_said_in_another_form_says_the_same(story: Story) -> None:
    payment = {"paid_by": "stripe", "reference": "pi_x", "amount": "10.00", "currency": "USD"}
    opened(story, "1001", channel_order_id="#1071", payment=payment)
    line = {"line_id": "A", "sku": "a", "title": "Item A", "quantity": 1, "unit_price": "10.0", "unit_cost": "5.0"}
    other_form: dict[str, Any] = {"channel_order_id": "1071", "payment": None, "payments": [payment]}
    other_form |= {"lines": [line], "currency": "USD", "cost_currency": "USD"}
    assert opened(story, "2002", **other_form)[1].endswith(
        "taken before as order 1001, and says the same (ORD-17)"
    )
    assert opened(story, "1001", "run-2", **other_form)[1] == "order 1001 exists already, by the same request"
    other_form["lines"] = [line | {"title": "Item B"}]
    assert "differs from it in lines.0.title (ORD-17)" in opened(story, "2002", **other_form)[1]


def test_ORD_17_one_that_differs_is_answered_with_what_differs(story: Story) -> None:
    opened(story, "1001", channel_order_id="ab-71")
    opening, reason = opened(story, "2002", channel_order_id="AB 71", shipping="5.00")
    assert opening == "duplicate"
    assert "shipping" in reason
    assert "payment" in reason


@pytest.mark.parametrize("fields", [{"channel": "ebay"}, {"channel_order_id": "1072"}])
def test_ORD_17_another_channel_or_number_is_another_order(story: Story, fields: dict[str, Any]) -> None:
    opened(story, "1001", channel_order_id="1071")
    assert opened(story, "2002", **{"channel_order_id": "1071"} | fields)[0] == "opened"


def test_ORD_17_orders_without_a_number_of_the_channel_have_nothing_in_common(story: Story) -> None:
    assert [opened(story, number)[0] for number in ("1", "2", "3")] == ["opened"] * 3


def test_ORD_17_the_same_run_again_gets_the_same_answer(story: Story) -> None:
    assert opened(story, "1001", channel_order_id="1071") == opened(story, "1001", channel_order_id="1071")


def test_REF_3_a_payment_of_a_gateway_belongs_to_one_order(story: Story) -> None:
    payment = {"paid_by": "stripe", "reference": "pi_x", "amount": "10.00", "currency": "USD"}
    opened(story, "1001", payment=payment)
    opening, reason = opened(story, "2002", payment=payment)
    assert opening == "refused"
    assert "its payment is the one of order 1001" in reason


def test_REF_3_bank_transfers_may_bear_the_same_words(story: Story) -> None:
    payment = {"paid_by": "bank_transfer", "reference": "thanks", "amount": "10.00", "currency": "USD"}
    assert [opened(story, number, payment=payment)[0] for number in ("1", "2")] == ["opened", "opened"]


def test_ORD_17_the_database_itself_keeps_it(story: Story, engine: Engine) -> None:
    opened(story, "1001", channel_order_id="1071")
    opened(story, "2002", channel_order_id="1072")
    changes = (
        "UPDATE orders SET channel_order_key = '1071' WHERE order_id = '2002'",
        "UPDATE payment SET reference = 'pi_1001' WHERE order_id = '2002'",
    )
    for change in changes:
        with engine.connect() as connection, pytest.raises(IntegrityError):
            connection.exec_driver_sql(change)


def test_ORD_17_what_is_there_is_looked_up_in_indexes(story: Story, engine: Engine) -> None:
    if engine.dialect.name != "sqlite":
        pytest.skip("of SQLite")
    opened(story, "1001", channel_order_id="1071")
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    event.listen(engine, "before_cursor_execute", note)
    opened(story, "2002", channel_order_id="1072")
    event.remove(engine, "before_cursor_execute", note)
    first = next(one for one in asked if one[0].startswith("SELECT"))
    with engine.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {first[0]}", first[1]).fetchall())
    assert "SCAN orders" not in plan, plan
    assert "SCAN payment" not in plan, plan


# ---- at the door of the command: nothing is begun, and exit code 0 is for what was started ----


def started(database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *orders: Any) -> Result:
    """`backhaul order start`, with a server that only notes what it is asked to start."""

    async def connected() -> None:
        return None

    async def opened(_client: object, request: OrderRequest) -> Opened:
        return Opened(workflow_id=f"order-{request.order_id}", already=False)

    monkeypatch.setattr("starter.cli.new_orders.connect", connected)
    monkeypatch.setattr("starter.cli.new_orders.open_order", opened)
    file = folder / "orders.json"
    file.write_text(json.dumps([order.model_dump(mode="json", exclude_none=True) for order in orders]))
    return CliRunner().invoke(app, ["order", "start", str(file)], env={"DATABASE_URL": database_url})


def test_ORD_17_the_command_says_what_is_there_already_and_starts_the_rest(
    story: Story, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(story, "1001", channel_order_id="#1071")
    again = order_request(LINE, order_id="2002", channel_order_id="1071")
    other = order_request(LINE, order_id="2003", channel_order_id="1072")
    told = started(database_url, tmp_path, monkeypatch, again, other)
    assert told.exit_code == 4, told.output
    assert "the channel's order #1071 was taken before as order 1001" in " ".join(told.output.split())
    assert "order 2002 started" not in told.output
    assert "order 2003 started" in told.output


def test_REF_3_the_command_says_whose_payment_it_is(
    story: Story, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = {"paid_by": "stripe", "reference": "pi_x", "amount": "10.00", "currency": "USD"}
    opened(story, "1001", payment=payment)
    told = started(database_url, tmp_path, monkeypatch, order_request(LINE, order_id="2002", payment=payment))
    assert told.exit_code == 5, told.output
    assert "its payment is the one of order 1001" in " ".join(told.output.split())


def test_ORD_1_the_command_says_that_nobody_knows_the_seller(
    story: Story, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = started(database_url, tmp_path, monkeypatch, order_request(LINE, order_id="2002", seller_id="nobody"))
    assert told.exit_code == 5, told.output
    assert "no seller nobody" in told.output


def test_ORD_17_the_same_order_in_the_same_file_starts_as_ever(
    story: Story, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(story, "1001", channel_order_id="#1071")
    same = order_request(LINE, order_id="1001", channel_order_id="#1071")
    assert started(database_url, tmp_path, monkeypatch, same).exit_code == 0


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"channel_order_id": "10-71"}, "entry 2, channel_order_id: the same as that of entry 1"),
        (
            {"payment": {"paid_by": "stripe", "reference": "pi_1001", "amount": "10.00", "currency": "USD"}},
            "entry 2, payment reference: the same as that of entry 1",
        ),
    ],
)
def test_ORD_17_two_orders_of_one_file_are_told_apart(
    story: Story,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    named: str,
) -> None:
    first = order_request(LINE, order_id="1001", channel_order_id="1071")
    second = order_request(LINE, order_id="2002", **fields)
    told = started(database_url, tmp_path, monkeypatch, first, second)
    assert told.exit_code == 2, told.output
    assert named in " ".join(told.output.split())
