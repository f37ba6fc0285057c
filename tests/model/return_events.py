"""What a return makes of each event: what is so after it, or that a rule refuses it."""

from collections.abc import Iterable

from tests.model.procedure import Happening, changed
from tests.model.return_happenings import ENTRIES
from tests.model.return_rules import ReturnRules
from tests.model.return_state import BUYER, SELLER, ReturnState, rejected, without_units


def hear(rules: ReturnRules, state: ReturnState, event: Happening) -> Iterable[ReturnState]:
    if event.ident in state.heard:
        return [state, rejected(state)]  # it is not yet known again what was heard before
    known = changed(state, heard=state.heard | {event.ident})
    after = state_after(rules, state, known, event.name, event.variant)
    if after is None:
        return [rejected(state)]
    if not state.opened:
        return [changed(after, early=(*state.early, (event.name, event.variant)))]
    return [after]


def state_after(
    rules: ReturnRules, state: ReturnState, known: ReturnState, name: str, variant: str
) -> ReturnState | None:
    """The state after the event; None: a rule refuses it."""
    if state.open_again and name not in ("buyer_refund", "channel_update", "credit_memo", "refund_declined"):
        return None
    match name:
        case "seller_approval":
            refused = bool(state.approval) or (variant == "too dear" and state.opened)
            refused = refused or (variant == "returnless" and bool(state.goods))  # RET-23
            refused = refused or (variant == "replacement" and (state.channel or bool(state.clicks)))  # RET-24
            return None if refused else changed(known, approval=variant)
        case "supplier_rma":
            refused = state.rma_given or state.rma == "issued" or rules.rma_is_given(state)
            return None if refused else changed(known, rma=variant, appeal_until=None)
        case "return_tracking":
            return changed(known, tracked=True)
        case "goods_received":
            return _received(state, known, variant) if state.opened else known
        case "refund_declined":
            return (
                None if state.opened and not _may_decline(rules, state, variant) else changed(known, declined=True)
            )
        case "credit_memo":
            return _credit(state, known, variant)
        case "buyer_refund":
            return _click(rules, state, known, int(variant or 0))
        case "withdrawal":
            moved = any(one.may_have_moved for one in state.of(BUYER)) or bool(state.of(SELLER))
            moved = moved or (state.another is not None and state.another.shipped > 0)
            return None if state.withdrawn or state.goods or moved else changed(known, withdrawn=True)
        case "channel_update":
            if variant != "refunded_by_channel":
                return known
            return changed(known, channel=True, channel_todo=state.channel_todo + 1)
        case "staff_override":
            wrong = variant == "replacement" and state.opened and not state.is_replaced
            refused = wrong or variant == "by the seller"
            return None if refused else changed(known, waived=state.waived | {variant})
    raise AssertionError(name)


def _credit(state: ReturnState, known: ReturnState, variant: str) -> ReturnState | None:
    if variant == "foreign":
        return None if state.opened else known
    number, _, said = variant.partition(":")
    cents, _, final = said.partition(" ")
    if number in state.memo_numbers:
        return known
    memos = (*state.memos, (int(cents), bool(final)))
    return changed(known, memos=memos, memo_numbers=state.memo_numbers | {number})


def _received(state: ReturnState, known: ReturnState, variant: str) -> ReturnState | None:
    """Receipts add up; what all arrived already may be looked at again (RET-26). Nothing is received of what
    does not come back (RET-23)."""
    if state.approval == "returnless":
        return None
    corrects = variant.startswith("instead: ")
    if corrects and not state.goods:
        return None
    before = changed(state, goods=state.goods[:-1] if corrects else state.goods)
    said = ENTRIES[variant.removeprefix("instead: ")]
    units, told = sum(count for _, count in said), before.units()
    if units > 2 - told:
        if told < 2 or units > 2:
            return None
        if units < 2 and units > before.units("manual"):
            return None
        before = without_units(before, units, ("manual",) if units < 2 else ())
    goods = tuple(receipt for receipt in (*before.goods, said) if receipt)
    if state.of(SELLER):
        return changed(known, goods=goods, arrived=True, said_since=True)
    return changed(known, goods=goods, arrived=True, nothing_accepted=False)


def _may_decline(rules: ReturnRules, state: ReturnState, kind: str) -> bool:
    """RET-27: while no money of the buyer moved, or may have."""
    buyers = state.of(BUYER)
    moving = any(one.is_under_way or one.state == "in doubt" for one in buyers) or bool(state.clicks)
    moving = moving or any(one.whose == BUYER for one in state.to_renumber)
    refunded = state.channel or (state.refunded > 0 and not state.owed)
    decided = state.declined or state.approval in ("", "rejected")
    too_early = kind == "declined" and not state.goods and not state.open_again
    has_another = state.another is not None and state.another.shipped > 0 and rules.replaced(state) == 2
    return not (moving or refunded or decided or too_early or has_another)


def _click(rules: ReturnRules, state: ReturnState, known: ReturnState, asked: int) -> ReturnState | None:
    nothing_left = state.opened and not asked and not state.owed and rules.left_for_buyer(state) <= 0
    in_doubt = any(one.state == "in doubt" for one in state.of(BUYER))
    nothing_left = nothing_left or (state.opened and rules.is_for_replaced(state, asked))
    nothing_left = nothing_left and not in_doubt
    if state.channel or state.declined or state.approval == "rejected" or nothing_left:
        return None
    return changed(known, clicks=(*state.clicks, asked))
