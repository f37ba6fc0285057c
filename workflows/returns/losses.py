"""What never arrived, or arrived damaged, and is not sent back (RET-23). Pure."""

from models.failures import RefusedByRule
from models.message import Event
from models.reasons import DAMAGED, means, reason_meant
from models.returns import GoodsReceived, Loss, ReturnTracking, SellerApproval, SupplierRma, Waivable
from workflows.engine.case import Note
from workflows.engine.pieces import just
from workflows.engine.plan import Plan
from workflows.returns.facts import ReturnFacts


def loss_of(f: ReturnFacts) -> Loss | None:
    """What the supplier's side answers for, once it is approved (BAL-2); none where goods come back, or where
    nothing went wrong on the way."""
    if f.opened is None or f.approved_at is None or not f.returnless:
        return None
    if f.never_arrived:
        return Loss.NEVER_ARRIVED
    damaged = any(means(line.reason, DAMAGED, f.seller.reasons) for line in f.snapshot.lines)
    return Loss.ARRIVED_DAMAGED if damaged else None


def noted(f: ReturnFacts) -> Plan:
    """That nothing comes back; and, of a loss, what it had cost the seller: nobody credits that by itself."""
    nothing = "it never arrived: nothing comes back" if f.never_arrived else "nothing needs to come back"
    told = just(Note(key="note:returnless", what=nothing))
    loss = loss_of(f)
    if loss is None:
        return told
    cost = f"{f.snapshot.cost} {f.snapshot.charge_currency}"
    what = f"{loss.value.replace('_', ' ')}: {f.supplier.supplier_id} has not credited what it had cost, {cost}"
    return told + just(Note(key="note:loss", what=what))


def check_goods(f: ReturnFacts, event: Event) -> None:
    """Raises RefusedByRule for a word about goods that don't come back (RET-23)."""
    match event:
        case GoodsReceived() | ReturnTracking() | SupplierRma() if f.never_arrived:
            raise RefusedByRule("RET-23", "it was reported as never arrived: nothing comes back")
        case GoodsReceived() if f.returnless:
            raise RefusedByRule("RET-23", "the seller approved that nothing comes back: nothing can be received")
        case SellerApproval(returnless=True) if f.receipts:
            raise RefusedByRule("RET-23", "something was received already: approve it as goods that come back")
        case SellerApproval(decision="approved") if event.returnless or f.never_arrived:
            _require_evidence(f)


def _require_evidence(f: ReturnFacts) -> None:
    """Nothing will be inspected: what the seller's reasons ask for must be there, by default for every loss. Where
    goods come back they speak for themselves."""
    if Waivable.EVIDENCE in f.waived:
        return
    for line in f.request.lines:
        meant = reason_meant(line.reason, f.seller.reasons)
        if meant is None or line.evidence:
            continue
        if meant.evidence_required or meant.loss_needs_evidence:
            why = f"{line.name}: the reason {meant.handle} needs evidence where nothing comes back"
            raise RefusedByRule("RET-23", f"{why}; staff who have seen it elsewhere waive it")
