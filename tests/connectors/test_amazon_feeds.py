"""Feeds as XML and what Amazon says of them: valid by the sandbox's own rules, split, read back (AMZ-5, AMZ-7)."""

import io
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.connectors.amazon.client import Amazon
from activities.connectors.amazon.feed_xml import feed_documents
from activities.connectors.amazon.processing_reports import read_processing_report
from models.amazon.composition import ComposeCancel, ComposeRefund, Units, composed_cancel, composed_refund
from models.amazon.feeds import MOST_BYTES, FeedType
from models.amazon.messages import NeedsPerson, OrderAcknowledgement, OrderAdjustment
from models.amazon.results import FeedResult, MessageEnd
from models.failures import InvalidInput, RefusedByPartner
from models.orders import OrderRequest, share_out
from starter.sandbox import RunningSandbox, SandboxClient
from starter.sandbox.amazon.feed_rules import CANCELS, REFUNDS, ReadFeed, read_feed
from starter.sandbox.amazon.processing_report import Result, written
from tests.amazon_orders import FIRST, SECOND, line, order, orders
from tests.connectors.amazon_calls import Counted, account, handed_in, over, refund_feed, result_of

MERCHANT = "A2ACMEPARTS01"


def refund(request: OrderRequest, amount: Decimal, refund_id: str = "RF-1", *units: Units) -> OrderAdjustment:
    ask = ComposeRefund(
        refund_id=refund_id, amount=amount, currency=request.paid_currency, reason="damaged", units=units
    )
    found = composed_refund(request, share_out(request), ask)
    assert isinstance(found, OrderAdjustment), found
    return found


def written_feed(*messages: OrderAdjustment | OrderAcknowledgement) -> bytes:
    kind = FeedType.REFUNDS if isinstance(messages[0], OrderAdjustment) else FeedType.CANCELLATIONS
    named = [(f"RF-{number}", one) for number, one in enumerate(messages, start=1)]
    (document,) = feed_documents(kind, MERCHANT, named)
    assert document.keys == tuple(key for key, _ in named)
    return document.content


def taken(content: bytes, kind: str = REFUNDS) -> ReadFeed:
    """As the sandbox reads it, with nothing wrong."""
    found = read_feed(content, kind, MERCHANT)
    assert (found.whole, found.faults) == (None, {})
    return found


# ---- documents ----


@given(st.lists(orders(), min_size=1, max_size=4), st.integers(1, 100))
@settings(max_examples=40, deadline=None)
def test_AMZ_5_every_document_is_valid_and_says_what_goes_back(requests: list[OrderRequest], percent: int) -> None:
    """Full refunds and parts: each message arrives with its order, its items and the amount of its refund."""
    made = []
    for number, request in enumerate(requests):
        paid = sum((share.paid for share in share_out(request)), Decimal(0))
        amount = paid if number % 2 else (paid * percent / 100).quantize(Decimal("1.00"))
        if request.paid_currency == "JPY":
            amount = amount.quantize(Decimal(1))
        if amount > 0:
            made.append(refund(request, min(amount, paid)))
    if not made:
        return
    found = taken(written_feed(*made))
    assert [one.message_id for one in found.messages] == list(range(1, len(made) + 1))
    for sent, told in zip(made, found.messages, strict=True):
        amounts = [amount for item in told.items for _, amount in item.components]
        assert sum(amounts, Decimal(0)) == sent.amount
        assert [item.order_item_id for item in told.items] == [item.order_item_code for item in sent.items]
        assert [item.adjustment_id for item in told.items] == [item.adjustment_key for item in sent.items]


def test_CAN_9_cancellations_are_valid_documents_of_both_kinds() -> None:
    request = order(line(quantity=3, tax="0.50"), line(SECOND), shipping="4.00")
    units = (Units(line_id=FIRST, quantity=1), Units(line_id=SECOND, quantity=1))
    found = composed_cancel(request, share_out(request), ComposeCancel(case_id="order-1", reason="x", units=units))
    assert not isinstance(found, NeedsPerson)
    assert found.whole is not None
    assert found.parts is not None
    (whole,) = taken(written_feed(found.whole), CANCELS).messages
    (part,) = taken(written_feed(found.parts)).messages
    assert (whole.cancels, whole.items[0].order_item_id) == (True, SECOND)
    assert (part.cancels, part.items[0].quantity_cancelled) == (True, 1)


def test_AMZ_5_words_of_others_are_text_and_never_markup() -> None:
    """What reaches the document of theirs has a form of its own, and is escaped."""
    one = refund(order(line()), Decimal("10.00"), "R-1")
    item = one.items[0].model_copy(update={"adjustment_key": "<&>'\""})
    found = taken(written_feed(one.model_copy(update={"items": (item,)})))
    assert found.messages[0].items[0].adjustment_id == "<&>'\""


def test_AMZ_5_what_is_too_large_for_one_document_goes_in_several() -> None:
    one = refund(order(line(), line(SECOND)), Decimal("20.00"))
    size = len(written_feed(one))
    documents = list(
        feed_documents(FeedType.REFUNDS, MERCHANT, [(f"RF-{n}", one) for n in range(50)], most=size * 6)
    )
    assert len(documents) > 5
    assert [key for document in documents for key in document.keys] == [f"RF-{n}" for n in range(50)]
    for document in documents:
        assert len(document.content) < size * 6
        assert len(taken(document.content).messages) == len(document.keys)
    with pytest.raises(InvalidInput, match="the message of RF-0"):
        list(feed_documents(FeedType.REFUNDS, MERCHANT, [("RF-0", one)], most=1200))


# ---- what the sandbox refuses, as Amazon does ----


GOOD = refund_feed("111-1234567-1234567 12345678901234 10.00", "111-1234567-1234567 12345678901234 5.00")
WRONG: dict[str, tuple[str, str, str]] = {
    "an unknown reason": ("CustomerReturn", "Because", "AdjustmentReason"),
    "an unknown component": ("Principal", "Principle", "Type"),
    "one fraction digit": ("10.00<", "10.0<", "two fraction digits"),
    "no currency": (' currency="USD"', "", "has a currency"),
    "a plain order number": ("111-1234567-1234567", "11112345671234567", "AmazonOrderID"),
    "a short item number": ("12345678901234<", "123<", "AmazonOrderItemCode"),
    "a long key": ("RF-1<", f"{'R' * 51}<", "1 to 50 characters"),
    "another order of elements": (
        "<AdjustmentReason>CustomerReturn</AdjustmentReason><ItemPriceAdjustments>",
        "<ItemPriceAdjustments>",
        "AdjustmentReason is missing",
    ),
    "money from the buyer": (">10.00<", ">-10.00<", "would have to pay"),
    "an element of another document": ("</AdjustedItem>", "<SKU>x</SKU></AdjustedItem>", "SKU is not where"),
}


@pytest.mark.parametrize(("before", "after", "words"), WRONG.values(), ids=WRONG.keys())
def test_the_sandbox_refuses_a_message_that_amazon_would_refuse(before: str, after: str, words: str) -> None:
    found = read_feed(GOOD.replace(before.encode(), after.encode(), 1), REFUNDS, MERCHANT)
    assert (found.whole, list(found.faults)) == (None, [1])
    assert words in found.faults[1]
    assert len(found.messages) == 1


WHOLE = {
    "twice the same MessageID": (b"<MessageID>2", b"<MessageID>1", "not unique"),
    "it breaks off": (b"</AmazonEnvelope>", b"", "Parsing Fatal Error"),
    "another version": (b"1.01", b"1.02", "DocumentVersion"),
    "another merchant": (MERCHANT.encode(), b"A2SOMEBODYELSE", "another's"),
    "another type": (b"<MessageType>OrderAdjustment", b"<MessageType>OrderAcknowledgement", "MessageType"),
    "no envelope": (b"AmazonEnvelope", b"Envelope", "no AmazonEnvelope"),
}


@pytest.mark.parametrize(("before", "after", "words"), WHOLE.values(), ids=WHOLE.keys())
def test_the_sandbox_refuses_a_file_that_amazon_would_refuse(before: bytes, after: bytes, words: str) -> None:
    found = read_feed(GOOD.replace(before, after), REFUNDS, MERCHANT)
    assert words in (found.whole or "")
    assert found.messages == []


def test_the_sandbox_refuses_a_file_of_10_mebibytes() -> None:
    assert "10 MiB" in (read_feed(GOOD + b" " * MOST_BYTES, REFUNDS).whole or "")
    assert read_feed(GOOD + b" " * (MOST_BYTES - len(GOOD) - 1), REFUNDS).whole is None


# ---- processing reports ----


def result(processed: int, *results: Result) -> FeedResult:
    return read_processing_report(io.BytesIO(written("50005", MERCHANT, processed, results)))


def ends(found: FeedResult, sent: int) -> list[str]:
    return [one.end.value for one in found.outcomes(range(1, sent + 1)).values()]


def test_AMZ_7_success_is_the_absence_of_an_error_and_a_warning_is_a_note() -> None:
    found = result(3, Result(2, "Error", 18028, "not found"), Result(3, "Warning", 7, "late"))
    assert ends(found, 3) == ["done", "refused", "done"]
    _, second, third = found.outcomes([1, 2, 3]).values()
    assert (second.note, third.note) == ("not found", "late")
    assert (second.code, found.transaction_id) == ("18028", "50005")


def test_AMZ_7_an_error_of_message_0_is_one_of_the_whole_file() -> None:
    assert ends(result(2, Result(0, "Error", 5000, "malformed")), 2) == ["refused", "refused"]


def test_AMZ_7_what_amazon_counts_as_done_of_a_file_that_it_refuses_is_not_handed_in_again() -> None:
    refused = result(3, Result(0, "Error", 5000, "malformed"), Result(1, "Error", 1, "no"))
    found = refused.model_copy(update={"successful": 2})
    assert ends(found, 3) == ["refused", "unknown", "unknown"]
    assert "counts 2 as done" in (found.outcomes([1, 2, 3])[2].note or "")


def test_AMZ_7_where_the_counts_do_not_agree_nothing_is_believed_but_errors() -> None:
    for found in (
        result(2, Result(1, "Error", 1, "no")),
        result(3, Result(1, "Error", 1, "no")).model_copy(update={"with_error": 2}),
        result(3, Result(1, "Error", 1, "no")).model_copy(update={"successful": 1}),
        result(3, Result(1, "Error", 1, "no"), Result(9, "Warning", 1, "x")),
    ):
        assert ends(found, 3) == ["refused", "unknown", "unknown"]
        assert found.outcomes([1, 2, 3])[2].note


@given(st.data(), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_AMZ_7_each_message_ends_as_it_is_listed(data: st.DataObject, sent: int) -> None:
    kinds = data.draw(st.lists(st.sampled_from(["", "Error", "Warning"]), min_size=sent, max_size=sent))
    found = result(sent, *(Result(n, kind, 1, "x") for n, kind in enumerate(kinds, start=1) if kind))
    expected = [MessageEnd.REFUSED if kind == "Error" else MessageEnd.DONE for kind in kinds]
    assert ends(found, sent) == [one.value for one in expected]


REPORT = written("50005", MERCHANT, 1, [Result(1, "Error", 1, "x")])
BROKEN = {
    "nothing": (b"", "is no XML"),
    "half of it": (REPORT[: len(REPORT) // 2], "breaks off"),
    "another document": (GOOD, "another document"),
    "no count": (REPORT.replace(b"MessagesProcessed", b"Messages"), "MessagesProcessed is missing"),
    "a count in words": (REPORT.replace(b"Processed>1<", b"Processed>one<"), "MessagesProcessed is no number"),
    "a result of no message": (
        REPORT.replace(b"MessageID>1</MessageID><ResultC", b"X>1</X><ResultC"),
        "no MessageID",
    ),
    "an unknown result": (REPORT.replace(b">Error<", b">Perhaps<"), "Perhaps is not known"),
    "binary": (b"\x00\x01\x02" * 100, "is no XML"),
    "entities": (
        b'<!DOCTYPE a [<!ENTITY b "x">]><ProcessingReport>&b;</ProcessingReport>',
        "MessagesProcessed is missing",
    ),
}


@pytest.mark.parametrize(("content", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_AMZ_7_a_malformed_processing_report_is_a_clear_error(content: bytes, words: str) -> None:
    with pytest.raises(RefusedByPartner, match=words):
        read_processing_report(io.BytesIO(content))


# ---- there and back ----


@pytest.fixture
async def client(running: RunningSandbox, sandbox: SandboxClient, tmp_path: Path) -> AsyncIterator[Amazon]:
    secret = tmp_path / "client_secret"
    secret.write_text("test-secret\n")
    access = account(running.amazon_url, secret)
    yield Amazon(access, Counted())
    await access.clients.aclose()


async def test_AMZ_7_ten_refunds_in_one_document_reach_amazon_and_one_is_refused(
    client: Amazon, sandbox: SandboxClient
) -> None:
    await sandbox.amazon_behaves(message_faults=[{"match": r"^RF-4\.", "code": 18021}])
    requests = [order(line(price=f"{n}.50", quantity=2, tax="0.33"), shipping="1.01") for n in range(1, 11)]
    sums = [sum((share.paid for share in share_out(one)), Decimal(0)) for one in requests]
    made = [
        refund(one, paid, f"RF-{n}") for n, (one, paid) in enumerate(zip(requests, sums, strict=True), start=1)
    ]
    feed = await over(client, sandbox, await handed_in(client, written_feed(*made)))
    found = read_processing_report(io.BytesIO(await result_of(client, feed)))
    assert ends(found, 10) == ["done"] * 3 + ["refused"] + ["done"] * 6
    done = (await sandbox.at_amazon()).refunds
    assert [one.amount for one in done] == sums[:3] + sums[4:]
    assert {one.adjustment_id for one in done} == {f"RF-{n}.1" for n in range(1, 11) if n != 4}


async def test_AMZ_7_a_malformed_file_is_refused_as_a_whole(client: Amazon, sandbox: SandboxClient) -> None:
    feed = await over(client, sandbox, await handed_in(client, GOOD.replace(b"1.01", b"9.99")))
    found = read_processing_report(io.BytesIO(await result_of(client, feed)))
    assert ends(found, 2) == ["refused", "refused"]
    assert (await sandbox.at_amazon()).refunds == ()
