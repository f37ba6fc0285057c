"""What holds of a sale at its end, to the smallest unit of its currency."""

from collections.abc import Collection

from models.money import share_of_units, to_minor_units
from models.refunds import RefundState, Way
from tests.plans.money.book import BUYER_GETS, ZERO
from tests.plans.money.sale import Sale
from workflows.returns.facts import ReturnFacts


def proved(sale: Sale, clicked: Collection[str]) -> None:
    """`clicked`: returns in which somebody asked for an amount. Raises AssertionError."""
    book = sale.book
    split = [one for one in book.orders.values() if one.request.replaces is None]
    assert sum((one.paid for one in split), ZERO) == sale.paid, "what was split off does not add up (CAN-10)"
    _parts_add_up(sale)
    _fees_are_kept(sale, clicked)
    back = [one for one in book.refunds.values() if one.request.direction is BUYER_GETS and one.counts]
    assert sum((one.amount for one in back), ZERO) == sale.paid, "the parts are not what was paid (REF-3)"
    units = to_minor_units(sale.paid, sale.currency)
    assert book.balances().get(("buyers/refunds", sale.currency), 0) == -units
    for refund_id, row in book.refunds.items():
        made = sale.gateway.refunds.get(refund_id)
        moved = made is not None and made.status == "succeeded"
        if row.request.way is Way.GATEWAY:
            said = made.status if made is not None else "nothing"
            assert moved is (row.state is RefundState.SUCCEEDED), f"{refund_id}: {row.state}, and {said} (REF-6)"
            assert made is None or made.amount == row.amount, f"{refund_id} moved another amount"
    assert sale.gateway.refunds.keys() <= book.refunds.keys(), "money moved that nobody booked"
    for charge_id, received in sale.gateway.received.items():
        assert sale.gateway.given(charge_id) <= received, f"more went back of {charge_id} than came"


def _parts_add_up(sale: Sale) -> None:
    """CAN-10: what stays of a line and what moved of it are together what it was."""
    book, currency = sale.book, sale.currency
    first = book.orders[sale.first_id]
    split = [one for one in book.orders.values() if one.request.split_from is not None]
    for line_id, share in first.shares.items():
        if first.cancelled.get(line_id):
            continue
        moved = [one.shares[line_id] for one in split if line_id in one.shares]
        left = share.quantity - first.gone.get(line_id, 0)
        for name in ("paid_goods", "paid_shipping", "cost_goods", "cost_shipping"):
            whole = getattr(share, name)
            stays = share_of_units(whole, share.quantity, 0, left, currency) if left else ZERO
            parts = sum((getattr(one, name) for one in moved), stays)
            assert parts == whole, f"{name} of {line_id}: {parts} of {whole} (CAN-10)"


def _fees_are_kept(sale: Sale, clicked: Collection[str]) -> None:
    """REF-4: who clicks without an amount gives back what the units are worth, less the fees."""
    for rig in sale.of_kind(ReturnFacts):
        f = rig.facts
        if f.opened and f.approval and f.return_id not in clicked:
            assert f.refunded <= max(f.snapshot.paid - f.fees, ZERO), f"{f.return_id}: fees are given back (REF-4)"
