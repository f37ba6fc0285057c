"""Where a return stands for people: where its goods and its money are, whose work it is (NTF-5, NTF-6)."""

from models.case import Custody, MoneyState, Who
from models.case import ReturnStage as Stage
from models.returns import Reception
from models.worklists import Work
from workflows.engine.plan import Plan
from workflows.refunds.attempts import works_held_up
from workflows.refunds.money import first_of, in_words, money_of
from workflows.returns.describe import parcels_said
from workflows.returns.facts import ReturnFacts
from workflows.returns.receipts import groups_of
from workflows.returns.replacement import replacement_said
from workflows.returns.settled import buyer_settled, credit_required, seller_settled

_NOT_THERE = (Reception.LOST, Reception.REFUSED)


def custody(f: ReturnFacts) -> Custody:
    """Where the goods are, by units; what was said last of them counts."""
    if f.opened is None:
        return Custody.WITH_BUYER
    if f.never_arrived:
        return Custody.NEVER_ARRIVED
    if f.returnless:
        return Custody.STAYS_WITH_BUYER
    arrived = sum(one.quantity for one in groups_of(f.receipts) if one.reception not in _NOT_THERE)
    if arrived == sum(line.quantity for line in f.opened.lines):
        return Custody.RECEIVED
    if arrived:
        return Custody.PARTLY_RECEIVED
    return Custody.COMING_BACK if f.on_its_way_at is not None else Custody.WITH_BUYER


def sellers_money(f: ReturnFacts) -> MoneyState:
    """Of the broker's refund of the seller (RET-13)."""
    return money_of(f.seller_attempts)


def buyers_money(f: ReturnFacts) -> MoneyState:
    """Of the seller's refund of the buyer; what the marketplace refunded by itself counts (RET-18)."""
    own = money_of(f.buyer_attempts)
    return MoneyState.CONFIRMED if own is MoneyState.NONE and f.channel_passed else own


def money(f: ReturnFacts) -> MoneyState:
    """Of both: what is not settled comes first; confirmed when all that the return owes has moved."""
    if f.opened is None:
        return MoneyState.NONE
    both = (sellers_money(f), buyers_money(f))
    if (unsettled := first_of(both)) is not None:
        return unsettled
    is_settled = (f.returnless or seller_settled(f)) and buyer_settled(f)
    return MoneyState.CONFIRMED if is_settled and MoneyState.CONFIRMED in both else MoneyState.NONE


def work(f: ReturnFacts, plan: Plan) -> tuple[Work, ...]:
    """The worklists of a return, beside those of every case; who waits beside another counts too."""
    if f.outcome is not None or f.opened is None:
        return ()
    waits = {(wait.stage, wait.who) for wait in plan.waits}
    held = works_held_up(f.refunds)
    found = {
        Work.TO_APPROVE: (Stage.AWAITING_APPROVAL, Who.SELLER) in waits,
        Work.RMA_TO_TYPE: (Stage.AWAITING_RMA, Who.STAFF) in waits or (Stage.RMA_REFUSED, Who.STAFF) in waits,
        Work.PARCEL_OVERDUE: _inspection_is_late(f) and f.inspection_required,
        Work.CREDIT_OVERDUE: _inspection_is_late(f) and not f.inspection_required and credit_required(f),
        Work.BUYER_TO_REFUND: (Stage.AWAITING_BUYER_REFUND, Who.SELLER) in waits or Work.BUYER_TO_REFUND in held,
        Work.BALANCE_SHORT: Work.BALANCE_SHORT in held,
    }
    return tuple(work for work, is_due in found.items() if is_due)


def _inspection_is_late(f: ReturnFacts) -> bool:
    """NTF-7: the limit to receive, inspect and credit has passed, and the seller is not refunded (RET-11)."""
    due = f.inspection_due
    return not f.returnless and due is not None and f.now >= due and not f.seller_attempts


def goods_said(f: ReturnFacts) -> str:
    """In words, for the case's page."""
    words = custody(f).value.replace("_", " ")
    said = f"{words} ({parcels_said(f)})" if f.parcels else words
    replaced = replacement_said(f) if f.opened is not None else None
    return said if replaced is None else f"{said}; replacement: {replaced}"


def money_said(f: ReturnFacts) -> str:
    """Both movements in words, never added to each other."""
    to_buyer = f"seller to buyer {in_words(buyers_money(f))}"
    return to_buyer if f.returnless else f"broker to seller {in_words(sellers_money(f))}, {to_buyer}"
