"""A return: which facts, which plan, and how each of its effects is done (RET)."""

from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls, contract, partners, records
    from models.cancellations import CancelRequest
    from models.case import Ended, OrderStage
    from models.message import Message
    from models.naming import by_sku
    from models.reasons import reason_in_words
    from models.replacements import GIVEN_UP, PrepareReplacement, ReplacementNews
    from models.returns import ReturnRequest
    from workflows.engine.case import Effect
    from workflows.engine.children import keep_orphan, open_return, start_order, tell_case
    from workflows.engine.inbox import receives, take_report
    from workflows.engine.procedure import Ask, Procedure
    from workflows.engine.run import Engine, fresh_or_continued
    from workflows.returns.checks import check
    from workflows.returns.effects import (
        BookCreditMemo,
        CancelReplacement,
        KeepAsOrphan,
        OpenReturn,
        OpenSplitReturn,
        ReopenReturn,
        RequestRma,
        StartReplacement,
    )
    from workflows.returns.events import apply
    from workflows.returns.facts import ReturnFacts
    from workflows.returns.plan import plan
    from workflows.returns.replacement_results import ReplacementReported
    from workflows.returns.replies import REPLY_WITHIN, reply
    from workflows.returns.view import facts_in_status, projection, result, view


async def perform(f: ReturnFacts, effect: Effect, ask: Ask) -> Message | None:
    """Do an effect of a return's own. Raises CouldNot where that it can't be done is a result."""
    match effect:
        case OpenReturn():
            return await _open(f, ask)
        case ReopenReturn():
            message = records.ReopenReturn(return_id=f.return_id, refund_id=effect.refund_id, run_id=f.run_id)
            return await ask(calls.REOPEN_RETURN, message)
        case OpenSplitReturn():
            number = effect.request.return_id
            await open_return(effect.request, f"Return {number} · order {f.order_id}")
            return None
        case KeepAsOrphan():
            await keep_orphan(effect.request)
            return None
        case RequestRma():
            return await _request_rma(f, ask)
        case BookCreditMemo():
            return await _book_credit_memo(f, effect, ask)
        case StartReplacement():
            return await _start_replacement(f, effect, ask)
        case CancelReplacement():
            await _cancel_replacement(effect)
            return None
    raise AssertionError(f"a return does not know the effect {effect.key}")


async def _open(f: ReturnFacts, ask: Ask) -> Message:
    message = records.OpenReturn(
        request=f.request, workflow_id=f.case_id, run_id=f.run_id, created_at=f.created_at
    )
    return await ask(calls.OPEN_RETURN, message)


async def _request_rma(f: ReturnFacts, ask: Ask) -> Message:
    items = by_sku(f.snapshot.lines)
    own, language = f.seller.reasons, f.supplier.language
    reasons = {
        sku: dict.fromkeys(
            reason_in_words(line.reason, own, language) for line in f.snapshot.lines if line.sku == sku
        )
        for sku in items
    }
    message = partners.RequestRma(
        return_id=f.return_id,
        supplier_id=f.supplier.supplier_id,
        supplier_order_number=f.snapshot.supplier_order_number,
        ordered_through=f.snapshot.ordered_through,
        lines=tuple(partners.ItemQuantity(sku=sku, quantity=count) for sku, count in items.items()),
        reasons=tuple("; ".join(reasons[sku]) for sku in items),
    )
    return await ask(calls.REQUEST_RMA, message)


async def _book_credit_memo(f: ReturnFacts, effect: BookCreditMemo, ask: Ask) -> Message:
    memo = effect.memo
    message = records.BookCreditMemo(
        supplier_id=f.supplier.supplier_id,
        number=memo.number,
        return_id=f.return_id,
        date=memo.date,
        amount=memo.amount,
        currency=memo.currency,
        final=memo.final,
        total=memo.total,
        actor=memo.actor,
        at=f.done[effect.key],
    )
    return await ask(calls.BOOK_CREDIT_MEMO, message)


async def _start_replacement(f: ReturnFacts, effect: StartReplacement, ask: Ask) -> Message:
    """One that is there already, of an earlier run of this return, is taken for what it is."""
    asked = PrepareReplacement(return_id=f.return_id, replacement_id=effect.replacement_id, lines=effect.lines)
    found = await ask(calls.PREPARE_REPLACEMENT, asked)
    if found.known is not None:
        return found.known
    news = ReplacementNews(replacement_id=effect.replacement_id)
    if found.request is None:
        return news.model_copy(update={"outcome": OrderStage.REFUSED.value, "reason": found.reason})
    await start_order(found.request, f"Order {effect.replacement_id} · replaces return {f.return_id}")
    return news


async def _cancel_replacement(effect: CancelReplacement) -> None:
    """Raises CouldNot when its order has ended."""
    event = CancelRequest(event_id=GIVEN_UP, actor=effect.actor, reason=effect.reason[:500])
    workflow_id = contract.ORDER_KIND.workflow_id(effect.replacement_id)
    await tell_case(workflow_id, "cancel_request", event)


RETURN_PROCEDURE = Procedure(
    kind=contract.RETURN_KIND,
    check=check,
    apply=apply,
    plan=plan,
    view=view,
    facts_in_status=facts_in_status,
    projection=projection,
    perform=perform,
    result=result,
    reply=reply,
    reply_within=REPLY_WITHIN,
)


@workflow.defn(name=contract.RETURN)
@receives(contract.RETURN_KIND, makes_refunds=True)
class Return:
    """One return request (RR), from the request to both refunds, or to the end without."""

    @workflow.init
    def __init__(self, request: ReturnRequest) -> None:
        self.engine = Engine(RETURN_PROCEDURE, request, fresh_or_continued(ReturnFacts, request))

    @workflow.run
    async def run(self, request: ReturnRequest) -> Ended:
        """Takes the return request; gives how it ended. Bad input fails the workflow with `InvalidInput`."""
        ended = await self.engine.run()
        assert isinstance(ended, Ended)
        return ended

    @workflow.signal(name=contract.REPLACEMENT_NEWS, description="How the replacement of this return stands")
    def replacement_reported(self, *payload: Any) -> None:
        take_report(
            self.engine,
            contract.REPLACEMENT_NEWS,
            payload,
            lambda said: ReplacementReported(news=ReplacementNews.at_the_door(said)),
        )
