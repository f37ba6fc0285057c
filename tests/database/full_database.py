"""A database with rows in every table, and a hand that writes into it by plain SQL."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Engine, text, update
from sqlmodel import Session

from activities.database import Alerts, CallRates, WebhookRegister, upgrade
from activities.database.amazon_queue import queue_refund
from activities.database.engines import make_engine
from activities.database.report_imports import ReportRegister
from activities.database.settlements import ReadSettlement, Settlements
from activities.database.transactions import write
from activities.database.upserts import add_new
from models.alerts import AlertKind, AlertTopic
from models.amazon.batches import BatchState
from models.amazon.queue import QueueKind, QueueRefund
from models.amazon.report_imports import ReportKind
from models.amazon.returned_items import RejectedRow
from models.amazon.settled_refunds import Verdict
from models.amazon.settlement import SettledAmount, SettlementHead
from models.call_rates import CallRate
from models.cancellations import Fault
from models.claims import ClaimRequest, ClaimState, OpenClaim, SaveClaim
from models.cost_reviews import CostReviewRequest, OpenCostReview, ReviewState, SaveCostReview
from models.ids import claim_workflow_id, cost_review_workflow_id
from models.message import LineUnits
from models.orders import Box
from models.orphans import OrphanRequest, SaveOrphan
from models.records import Cessation, ReceptionRecord, ReturnParcel
from models.refunds import Direction, RefundState
from models.returns import Acceptance, Reception
from models.tables import METADATA, AmazonBatchRow, AmazonQueueRow, MailRow, SettledRefundRow
from models.webhooks import Refusal, WebhookEvent, WebhookState
from tests.amazon_account import amazon
from tests.database.story import NOON, Story, case_record


def full_database(url: str) -> Iterator[Engine]:
    """A new database at this URL, with something in every table."""
    upgrade(url)
    engine = make_engine(url)
    everything(Story(engine).with_parties(), engine)
    yield engine
    engine.dispose()


def everything(story: Story, engine: Engine) -> None:
    """Two orders: of the first, all that may be kept of an order, its return and both refunds; and an orphan."""
    story.connected("north-api", "supplier:north", kind="supplier", provider="supplier_json")
    story.ordered(("A", 2, "50.00"), order_id="1000")
    story.charged("50.00")
    story.bought("north", A=1)
    _a_claim(story)
    story.delivered(("A", 3, "50.00"), ("B", 1, "20.00"), channel_order_id="K")
    _more_of_the_order(story)
    story.returned("RR-1", A=1)
    parcel = ReturnParcel(carrier="UPS", tracking_number="1Z 77", at=NOON)
    story.return_reaches("RR-1", "awaiting_credit", receptions=(_arrived(),), rma_number="R-1", parcels=(parcel,))
    story.credited("CM-1", "RR-1", total="10.00")
    story.returned("RR-2", A=1)
    story.return_reaches("RR-2", "in_transit")
    _refunded(story, "RF-RR-1-S1", Direction.BROKER_TO_SELLER)
    _refunded(story, "RF-RR-1-B1", Direction.SELLER_TO_BUYER)
    for direction, refund_id in ((Direction.BROKER_TO_SELLER, "RF-1"), (Direction.SELLER_TO_BUYER, "RF-2")):
        story.refunding(refund_id, "1.00", direction=direction)
        story.refund_reaches(refund_id, "pending", RefundState.PENDING, gateway_refund_id="re_2")
    _a_review(story)
    _an_orphan(story)
    _a_batch(story, engine)
    _webhooks(engine)
    _an_import(engine)
    _a_settlement(engine)
    CallRates(engine).take("north-api", "getFeed", CallRate(per_second=2, burst=15))
    mail = {"key": "order-1001:shipped", "message_id": "m1", "at": NOON}
    write(engine, lambda session: add_new(session, MailRow, [mail]))
    Alerts(engine).turn(AlertTopic(kind=AlertKind.OUTAGE, name="gateway"), "order-1001:alert", NOON, 1)


def _more_of_the_order(story: Story) -> None:
    cessation = Cessation(
        kind="voided",
        at=NOON,
        reason="none left",
        fault=Fault.SUPPLIER,
        by="x",
        quantities={"A": 1},
        lines=(LineUnits(line_id="A", sku="A", quantity=1),),
        evidence={},
    )
    story.ceased(cessation)
    first, *_ = story.told["1001"].shipments or ()
    second = first.model_copy(
        update={
            "shipment_id": "S2",
            "lines": (),
            "at": NOON + timedelta(hours=1),
            "more_parcels": (Box(carrier="UPS", tracking_number="1Z8"),),
        }
    )
    story.save(shipments=(first, second))
    story.reaches("shipped", "received", "shipped", numbers=("1001", "1Z1"))


def _arrived() -> ReceptionRecord:
    return ReceptionRecord(
        line_id="A", sku="A", quantity=1, reception=Reception.RECEIVED, acceptance=Acceptance.ACCEPTED
    )


def _refunded(story: Story, refund_id: str, direction: Direction) -> None:
    units = [{"line_id": "A", "quantity": 1}] if direction is Direction.SELLER_TO_BUYER else []
    story.refunding(refund_id, "10.00", direction=direction, return_id="RR-1", lines=units)
    story.refund_reaches(refund_id, "succeeded", RefundState.SUCCEEDED, ended=True, gateway_refund_id="re_1")
    assert story.reading.refunds_of("1001").buyer.left >= Decimal(0)


def _a_batch(story: Story, engine: Engine) -> None:
    """Refund RF-2 is at Amazon."""
    story.connections.put([amazon(connection_id="acme-amazon")])
    queued = QueueRefund(refund_id="RF-2", connection_id="acme-amazon", at=NOON)
    batch = AmazonBatchRow(
        batch_id="B-1",
        workflow_id="batch-B-1",
        connection_id="acme-amazon",
        kind=QueueKind.REFUND,
        number=1,
        state=BatchState.SENT,
        messages=1,
        requested_by="seller:jane",
        document_id="D-1",
        feed_id="1",
        opened_at=NOON,
        handed_in_at=NOON,
    )
    sent = {"state": "sent", "batch_id": "B-1", "message_id": 1, "content": {}}

    def send(session: Session) -> None:
        queue_refund(session, queued)
        session.add(batch)
        session.flush()
        session.execute(update(AmazonQueueRow).values(sent))

    write(engine, send)


def _a_review(story: Story) -> None:
    """Approved for the return that the buyer was refunded for."""
    given = {"review_id": "CR-1", "order_id": "1001", "return_id": "RR-1", "amount": "0.50", "currency": "USD"}
    request = CostReviewRequest.at_the_door({**given, "notes": "wrong part", "requested_by": "seller:jane"})
    workflow_id = cost_review_workflow_id("CR-1")
    opened = story.database.open_cost_review(
        OpenCostReview(request=request, workflow_id=workflow_id, run_id="run-1", at=NOON)
    )
    assert opened.reason is None
    story.database.save_cost_review(
        SaveCostReview(
            record=case_record(workflow_id, "approved", "approved", ended=True),
            review_id="CR-1",
            state=ReviewState.APPROVED,
            approved=Decimal("0.50"),
            at=NOON,
        )
    )


def _a_claim(story: Story) -> None:
    """Of the unit of order 1000 that nobody had, approved."""
    story.voided(A=1)
    given = {"claim_id": "CL-1", "order_id": "1000", "seller_id": "acme", "amount": "0.50", "currency": "USD"}
    lines = [{"sku": "A", "quantity": 1}]
    said = {**given, "lines": lines, "dealer": "Reno Auto Parts", "requested_by": "seller:jane"}
    workflow_id = claim_workflow_id("CL-1")
    opened = story.database.open_claim(
        OpenClaim(request=ClaimRequest.at_the_door(said), workflow_id=workflow_id, run_id="run-1", at=NOON)
    )
    assert opened.reason is None
    record = case_record(workflow_id, "approved", "approved", ended=True, order_id="1000")
    story.database.save_claim(
        SaveClaim(record=record, claim_id="CL-1", state=ClaimState.APPROVED, approved=Decimal("0.50"), at=NOON)
    )


def _an_orphan(story: Story) -> None:
    said = {"event_id": "e1", "actor": "carrier:ups", "tracking_number": "1Z9", "at": NOON.isoformat()}
    request = OrphanRequest.of("ups", "delivered", said)
    story.database.save_orphan(
        SaveOrphan(
            record=case_record(f"orphan-{request.orphan_id}", "unmatched", "nobody knows it"),
            orphan_id=request.orphan_id,
            request=request,
            reported_at=NOON,
            expires_at=NOON,
            candidates=(),
        )
    )


def _webhooks(engine: Engine) -> None:
    register = WebhookRegister(engine)
    event = WebhookEvent(event_id="evt_1", type="refund.updated")
    register.keep("north-api", event, WebhookState.DELIVERED, "refund-RF-RR-1-B1")
    register.keep("north-api", event, WebhookState.DELIVERED, "refund-RF-RR-1-B1")
    register.count_refusals({("north-api", NOON.date(), Refusal.NOT_SIGNED): 3})


def _an_import(engine: Engine) -> None:
    register = ReportRegister(engine)
    register.begin("north-api.1", ReportKind.RETURNS, "north-api", "returns.txt")
    register.add_returns("north-api.1", 0, [()])
    register.reject("north-api.1", [RejectedRow(3, "Return quantity", "is missing", {"Order ID": "1"})])


def _a_settlement(engine: Engine) -> None:
    """One that is held, with a refund of ours."""
    head = SettlementHead("18000000001", NOON, NOON, NOON, 100, "USD")
    said = ReadSettlement("north-api.1", "acme-amazon", "acme", head, "0", 0, 1, 1, NOON)
    Settlements(engine).claim(said)
    words = ("Refund", "ItemPrice", "Principal")
    amount = SettledAmount(2, *words, -100, "K", "12345678901234", "RF-RR-1-B1.1", "", "", "", NOON)
    Settlements(engine).add("north-api.1", "acme", 0, [amount])
    refund = {
        "connection_id": "acme-amazon",
        "settlement_id": "18000000001",
        "position": 0,
        "verdict": Verdict.CONFIRMED,
        "transaction_type": "Refund",
        "number": "K",
        "order_id": "1001",
        "order_item_code": "12345678901234",
        "adjustment_key": "RF-RR-1-B1.1",
        "came": 100,
        "expected": 100,
        "refund_id": "RF-RR-1-B1",
        "return_id": None,
        "note": None,
        "set_aside": False,
    }
    write(engine, lambda session: add_new(session, SettledRefundRow, [refund]))


def rows_by_table(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in METADATA.tables
        }


def by_hand(engine: Engine, statement: str) -> None:
    """As somebody with a prompt would."""

    def work(session: Session) -> None:
        session.execute(text(statement))

    write(engine, work)


def copied(engine: Engine, table: str, changes: str) -> None:
    """One more row: a copy of one of the table's rows with these changes: `column = 'x', other = 2 WHERE ...`."""
    news, _, where = changes.partition(" WHERE ")
    given = dict(one.split(" = ", 1) for one in news.split(", "))
    columns = [column.name for column in METADATA.tables[table].columns]
    values = ", ".join(given.get(name, name) for name in columns)
    found = f"FROM {table} WHERE {where or 'true'} LIMIT 1"
    by_hand(engine, f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} {found}")
