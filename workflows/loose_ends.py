"""What a return leaves behind when staff stop it: goods on their way, refunds (RET-15, NTF-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workflows.return_request import Return


def loose_ends(case: Return) -> list[str]:
    """What of an opened return is out of our hands now, in words; nothing: none was ever sent or paid."""
    return [*_of_goods(case), *_of_money(case)]


def _of_goods(case: Return) -> list[str]:
    authorization, tracking, supplier = case.authorization, case.parcel.tracking, case.opened.supplier.supplier_id
    if case.reopened:
        return []
    if case.supplier_side.has_receptions:
        return [f"{supplier} has goods of it"]
    if tracking is not None:
        return [f"its goods are on their way to {supplier}: {tracking.carrier} {tracking.tracking_number}"]
    if authorization.given:
        number = authorization.rma_number or "waived"
        return [f"the buyer was told to send the goods to {supplier} (RMA {number})"]
    if authorization.asked_service:
        return [f"{supplier} was asked for an RMA number and may have issued one"]
    return []


def _of_money(case: Return) -> list[str]:
    found = [f"refund {refund_id} goes on by itself" for refund_id in sorted(case.refunds_under_way)]
    if case.request.reopened_by is not None:
        found.append(f"refund {case.request.reopened_by.refund_id} failed and is not made again")
    return found
