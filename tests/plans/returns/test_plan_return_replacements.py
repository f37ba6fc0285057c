"""The buyer gets another one in place of its money (RET-24)."""

from typing import Any

import pytest

from models.failures import InvalidInput
from models.ids import replacement_order_id
from models.orders import Box
from models.records import LineQuantities
from models.replacements import ReplacementNews
from models.returns import OpenedLine, SellerApproval
from tests.plans.returns.return_rig import (
    DOWN,
    PAID,
    ReturnStory,
    a_record,
    goods,
    requested,
    unopened,
)
from tests.plans.rig import Failed
from workflows.returns.effects import CancelReplacement, StartReplacement
from workflows.returns.replacement_results import ReplacementReported
from workflows.returns.view import projection

ID = "RP.RR-1"
ONE_AND_ONE = (
    OpenedLine(line_id="A", sku="A", title="Item A", quantity=1, reason="worn", paid="60.00", cost="33.00"),
    OpenedLine(line_id="B", sku="B", title="Item B", quantity=1, reason="worn", paid="40.00", cost="30.00"),
)


def replacing(at_once: bool = True, lines: Any = None, **seller: Any) -> ReturnStory:
    """Approved with a replacement."""
    story = unopened(replacement_sent="at_once" if at_once else "when_received", **seller)
    story.world.lines = lines or story.world.lines
    story.rest()
    return story.approved(resolution="replacement")


def hears(story: ReturnStory, **fates: Any) -> ReturnStory:
    """What the replacement's order says: units of A that were shipped, cancelled, voided; the rest of its news."""
    counts = {name: fates.pop(name, 0) for name in ("shipped", "cancelled", "voided")}
    first, *others = story.facts.replacement.lines if story.facts.replacement else ()
    lines = [first.model_copy(update=counts), *others]
    if counts["shipped"]:
        fates.setdefault("parcels", (Box(carrier="UPS", tracking_number="1ZNEW"),))
    story.take(ReplacementReported(news=ReplacementNews(replacement_id=ID, lines=tuple(lines), **fates)))
    story.rest()
    return story


def started(story: ReturnStory) -> list[StartReplacement]:
    return [one for one in story.begun if isinstance(one, StartReplacement)]


def cancelled(story: ReturnStory) -> list[CancelReplacement]:
    return [one for one in story.begun if isinstance(one, CancelReplacement)]


# ---- it is sent, once ----


def test_RET_24_at_once_the_replacement_is_ordered_on_approval() -> None:
    story = replacing()
    (order,) = started(story)
    assert (order.replacement_id, [(one.sku, one.quantity) for one in order.lines]) == (ID, [("A", 2)])
    assert [mail.facts["replacement_id"] for mail in story.letters("replacement_ordered")] == [ID]
    hears(story, shipped=2, outcome="shipped").sent().received().credited()
    assert (story.stage, story.money) == ("completed", ("0.00", "63.00")), "the seller's side goes on as always"
    (told,) = story.letters("replacement_sent")
    assert (told.to, told.facts) == ("buyer", {"carrier": "UPS", "tracking_number": "1ZNEW"})
    assert "replaced: order RP.RR-1, sent" in story.facts.closing_message


def test_RET_24_it_waits_for_the_goods_where_the_seller_wants_so() -> None:
    story = replacing(at_once=False).sent()
    assert not started(story)
    assert ("replacing", "supplier") in story.waits
    story.received()
    assert [sum(line.quantity for line in one.lines) for one in started(story)] == [2]
    story.credited()
    assert story.waits == [("replacing", "backhaul")]
    assert hears(story, shipped=2, outcome="shipped").stage == "completed"


def test_RET_24_only_what_was_accepted_is_replaced_and_a_person_decides_about_the_rest() -> None:
    story = replacing(at_once=False).sent()
    lines = [
        {"sku": "A", "quantity": 1, "reception": "received", "acceptance": "accepted"},
        {"sku": "A", "quantity": 1, "reception": "received", "acceptance": "rejected"},
    ]
    story.says("goods_received", actor="supplier:sue", lines=lines).credited("31.50")
    assert [sum(line.quantity for line in one.lines) for one in started(story)] == [1]
    hears(story, shipped=1, outcome="shipped")
    assert story.waits == [("awaiting_buyer_refund", "seller")]
    story.clicked()
    assert (story.stage, story.money) == ("completed", ("50.00", "31.50"))


def test_RET_24_rejected_goods_are_not_replaced_by_themselves() -> None:
    story = replacing(at_once=False).sent().received("rejected")
    assert not started(story)
    assert story.waits == [("awaiting_buyer_refund", "seller")]


def test_RET_24_RET_23_what_never_arrived_is_replaced_at_once_whatever_the_setting() -> None:
    story = unopened(replacement_sent="when_received")
    story.world.lines = tuple(one.model_copy(update={"reason": "never arrived"}) for one in story.world.lines)
    story.rest()
    story.approved(resolution="replacement")
    assert len(started(story)) == 1
    assert hears(story, shipped=2, outcome="shipped").stage == "completed"
    assert (story.money, story.shown["loss"]) == (("0.00", "0.00"), "never_arrived")


def test_RET_24_it_is_started_once_whatever_is_repeated() -> None:
    story = replacing()
    story.restart()
    story.rest()
    hears(story, with_supplier=True)
    hears(story, with_supplier=True)
    hears(story, shipped=2)
    hears(story, shipped=1)  # an older word
    assert len(started(story)) == 1
    assert story.facts.replacement is not None
    assert story.facts.replacement.lines[0].shipped == 2
    assert len(story.letters("replacement_sent")) == 1


def test_RET_24_a_database_that_is_down_delays_it_and_staff_are_told() -> None:
    story = unopened(replacement_sent="at_once")
    story.rest()
    story.world.replacement = DOWN
    story.approved(resolution="replacement")
    assert any("Order the replacement" in one for one in story.alerts)
    story.world.replacement = None
    story.rest()
    assert len(started(story)) == 1


# ---- the buyer's money is not refunded as well ----


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("click", [{}, {"amount": "10.00"}, {"lines": [{"sku": "A", "quantity": 1}]}])
def test_RET_24_a_click_for_what_is_replaced_is_refused_in_words(at_once: bool, click: dict[str, Any]) -> None:
    story = replacing(at_once).sent()
    why = story.refuses("buyer_refund", **click)
    assert "the buyer's money is not refunded as well (RET-24)" in why
    if at_once:
        assert "order RP.RR-1 replaces it" in why
        hears(story, shipped=2, outcome="shipped")
        assert "RET-24" in story.refuses("buyer_refund", **click)
    assert story.asked == []


def test_RET_24_the_automatic_refund_does_not_happen() -> None:
    story = replacing(auto_refund_buyer=True).sent().received().credited()
    assert (story.money, story.letters("refund_failed")) == (("0.00", "63.00"), []), "it is not even tried"
    hears(story, voided=2, outcome="voided", reason="no warehouse has it")
    assert (story.money, story.waits) == (("0.00", "63.00"), [("awaiting_buyer_refund", "seller")])


def test_RET_24_a_refund_that_is_asked_for_already_is_not_replaced_as_well() -> None:
    story = requested().says("buyer_refund")
    why = story.refuses("seller_approval", decision="approved", resolution="replacement")
    assert "a refund of the buyer is asked for already" in why


def test_RET_24_fees_have_no_refund_to_be_deducted_from() -> None:
    said = {"event_id": "e", "actor": "seller:jo", "decision": "approved", "resolution": "replacement"}
    with pytest.raises(InvalidInput, match="a replacement has none"):
        SellerApproval.at_the_door(said | {"return_fee": "5.00"})
    with pytest.raises(InvalidInput, match="nothing is replaced"):
        SellerApproval.at_the_door(said | {"decision": "rejected", "reason": "late"})


# ---- it comes to nothing ----


@pytest.mark.parametrize(
    "news",
    [
        {"voided": 2, "outcome": "voided", "reason": "no warehouse has it"},
        {"cancelled": 2, "outcome": "cancelled", "reason": "the seller changed its mind"},
        {"outcome": "refused", "reason": "no seller acme"},
        {"outcome": "stopped"},
    ],
)
def test_RET_24_what_is_not_replaced_can_be_refunded_after_all(news: dict[str, Any]) -> None:
    story = replacing().sent().received().credited()
    hears(story, **news)
    (failed,) = story.letters("replacement_failed")
    assert failed.facts["reason"] == news.get("reason", "its order is stopped")
    assert any("not replaced: 2 x A" in one for one in story.alerts)
    assert story.waits == [("awaiting_buyer_refund", "seller")]
    story.clicked()
    assert (story.stage, story.money) == ("completed", ("100.00", "63.00"))


def test_RET_24_an_order_that_could_not_be_made_says_why() -> None:
    story = unopened(replacement_sent="at_once")
    story.rest()
    story.world.replacement = ReplacementNews(replacement_id=ID, outcome="refused", reason="the order is unknown")
    story.approved(resolution="replacement").sent().received().credited()
    assert not story.letters("replacement_ordered")
    assert story.shown["replacement"] == "order RP.RR-1 was refused: the order is unknown"
    assert story.clicked().money == ("100.00", "63.00")


def test_RET_24_REF_13_of_a_part_that_was_sent_only_the_rest_is_refunded_and_once() -> None:
    story = replacing().sent().received().credited()
    hears(story, shipped=1, voided=1, outcome="shipped", reason="no warehouse has it")
    assert "at most 50.00 USD" in story.refuses("buyer_refund", amount="50.01")
    assert "1 of A are replaced" in story.refuses("buyer_refund", lines=[{"sku": "A", "quantity": 2}])
    story.clicked()
    assert (story.stage, story.money) == ("completed", ("50.00", "63.00"))


def test_RET_24_units_are_told_apart_by_line() -> None:
    story = replacing(lines=ONE_AND_ONE)
    hears(story, voided=1, reason="no warehouse has it").sent()
    assert "1 of B are replaced" in story.refuses("buyer_refund", lines=[{"sku": "B", "quantity": 1}])
    story.clicked(lines=[{"sku": "A", "quantity": 1}])
    assert story.money[0] == "60.00"


def test_RET_24_a_word_about_an_order_that_this_return_did_not_make_moves_nothing() -> None:
    story = requested()
    line = LineQuantities(line_id="A", sku="A", quantity=2, shipped=2)
    story.take(ReplacementReported(news=ReplacementNews(replacement_id="RP.RR-2", lines=(line,))))
    story.rest()
    assert (story.facts.replacement, story.facts.rejected_count) == (None, 1)


# ---- it is given up ----


@pytest.mark.parametrize("in_time", [True, False])
def test_RET_24_RET_15_a_return_withdrawn_before_it_went_out_cancels_it_or_says_so(in_time: bool) -> None:
    story = replacing().says("withdrawal", actor="buyer:bo", reason="keeps it")
    (asked,) = cancelled(story)
    assert (asked.actor, asked.reason) == ("buyer:bo", "return RR-1 was withdrawn")
    assert (story.outcome, story.waits) == (None, [("replacing", "backhaul")])
    if in_time:
        hears(story, cancelled=2, outcome="cancelled")
    else:
        hears(story, with_supplier=True, cancel_refused=True)
    assert (story.stage, story.money) == ("withdrawn", ("0.00", "0.00"))
    late = [one for one in story.alerts if "it goes out all the same" in one]
    assert len(late) == (not in_time)
    assert not story.letters("replacement_failed")


def test_RET_24_RET_15_what_was_replaced_is_not_withdrawn() -> None:
    story = hears(replacing(), shipped=1)
    assert "the replacement was sent" in story.refuses("withdrawal", reason="keeps it")


def test_RET_24_withdrawn_while_it_is_being_ordered_it_is_ordered_and_cancelled() -> None:
    story = unopened(replacement_sent="at_once")
    story.rest()
    story.world.replacement = DOWN
    story.approved(resolution="replacement").says("withdrawal", actor="buyer:bo")
    assert (story.outcome, cancelled(story)) == (None, [])
    story.world.replacement = None
    story.rest()
    assert len(cancelled(story)) == 1
    assert hears(story, cancelled=2, outcome="cancelled").stage == "withdrawn"


def test_RET_24_withdrawn_while_it_waits_for_the_goods_nothing_is_ordered() -> None:
    story = replacing(at_once=False).says("withdrawal", actor="buyer:bo")
    assert (story.stage, started(story)) == ("withdrawn", [])


@pytest.mark.parametrize("kind", ["replaced", "declined"])
def test_RET_24_RET_27_declined_it_is_given_up(kind: str) -> None:
    story = replacing().sent().received("rejected")
    story.says("refund_declined", kind=kind, reason="it was used")
    assert len(cancelled(story)) == 1
    hears(story, cancelled=2, outcome="cancelled")
    assert (story.stage, story.money) == ("completed", ("0.00", "0.00"))


def test_RET_24_RET_27_what_is_not_ordered_yet_is_not_ordered_once_declined() -> None:
    story = replacing(at_once=False).says("refund_declined", kind="replaced", reason="sent from our shop")
    story.sent().received().credited()
    assert (story.stage, started(story)) == ("completed", [])


def test_RET_24_RET_27_who_has_the_replacement_is_not_declined() -> None:
    story = hears(replacing(), shipped=2).sent().received()
    assert "the buyer has the replacement already" in story.refuses("refund_declined", kind="declined")


def test_RET_24_RET_18_the_marketplace_refunds_so_it_is_given_up() -> None:
    story = replacing().says("channel_update", status="refunded_by_channel")
    assert len(cancelled(story)) == 1
    hears(story, with_supplier=True, cancel_refused=True)
    hears(story, shipped=2)
    assert any("and its money from the marketplace" in one for one in story.alerts)


@pytest.mark.parametrize("gone", [True, False])
def test_RET_24_staff_waive_it_and_the_buyer_can_be_refunded(gone: bool) -> None:
    story = replacing().sent().received().credited()
    story.world.cancelling = Failed("order-RP.RR-1 has ended") if gone else None
    story.says("staff_override", waive="replacement", reason="its order was terminated")
    if not gone:
        assert "RET-24" in story.refuses("buyer_refund"), "it may still be sent"
        hears(story, cancelled=2, outcome="cancelled")
    assert story.waits == [("awaiting_buyer_refund", "seller")]
    assert story.clicked().money == ("100.00", "63.00")
    assert "no replacement was approved" in requested().refuses("staff_override", waive="replacement")


@pytest.mark.parametrize(
    ("news", "said"),
    [
        ({"outcome": "stopped", "with_supplier": True}, "was stopped while it is with suppliers"),
        ({"outcome": "terminated"}, "order RP.RR-1, was terminated"),
    ],
)
def test_RET_24_one_that_was_cut_short_is_staffs_to_settle(news: dict[str, Any], said: str) -> None:
    story = replacing().sent().received().credited()
    hears(story, **news)
    assert any(said in one for one in story.alerts)
    assert story.waits == [("replacing", "staff")]
    assert said in story.plan.waits[0].what
    assert "RET-24" in story.refuses("buyer_refund")
    story.world.cancelling = Failed("order-RP.RR-1 has ended")
    story.says("staff_override", waive="replacement", reason="the supplier did not send it")
    assert story.clicked().money == ("100.00", "63.00")


def test_RET_24_RET_10_who_keeps_both_is_named_when_the_return_expires() -> None:
    story = hears(replacing(), shipped=2, outcome="shipped").days(61)
    assert story.outcome == "expired"
    assert any("nothing came back: settle it with the buyer" in one for one in story.alerts)


def test_RET_24_a_return_that_expires_cancels_what_was_not_sent() -> None:
    story = replacing().days(61)
    assert (story.outcome, len(cancelled(story))) == (None, 1)
    assert hears(story, cancelled=2, outcome="cancelled").outcome == "expired"


def test_RET_24_staffs_stop_names_it() -> None:
    story = replacing().stopped()
    assert (story.outcome, cancelled(story)) == ("stopped", [])
    assert any("the replacement, order RP.RR-1, goes on by itself" in one for one in story.alerts)


# ---- shown, and kept ----


def test_RET_24_status_list_and_database_link_the_order() -> None:
    story = replacing()
    shown = story.shown
    assert (shown["resolution"], shown["replacement_order"]) == ("replacement", ID)
    assert shown["replacement"] == "order RP.RR-1, not sent yet"
    call = projection(story.facts, a_record())
    assert call is not None
    saved = call[1].model_dump(mode="json")["kept"]
    assert (saved["resolution"], saved["replacement_order"]) == ("replacement", ID)
    assert "replacement: order RP.RR-1" in story.seen.goods_said
    assert ID in story.seen.numbers


def test_RET_24_every_return_has_a_replacement_id_of_its_own_that_an_order_may_have() -> None:
    returns = ["RR-1", "RR.1", "x" * 97, "x" * 98, "x" * 129 + "a", "x" * 129 + "b"]
    ids = [replacement_order_id(one) for one in returns]
    assert len(set(ids)) == len(ids)
    assert all(len(one) <= 100 for one in ids)


def test_RET_24_nothing_is_refunded_of_a_replacement_that_fails_of_an_order_that_cost_nothing() -> None:
    free = (OpenedLine(line_id="A", sku="A", title="A", quantity=2, reason="worn", paid="0.00", cost="63.00"),)
    story = hears(replacing(lines=free), voided=2, outcome="voided").sent().received().credited()
    assert (story.stage, story.money) == ("completed", ("0.00", "63.00"))


def test_RET_24_goods_that_come_back_beside_it_are_received_as_always() -> None:
    story = hears(replacing(), shipped=2).sent()
    story.says("goods_received", **goods("rejected")).days(1)
    assert (story.stage, story.money) == ("completed", ("0.00", "0.00"))
    assert str(PAID) not in str(story.asked)
