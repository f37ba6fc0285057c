"""An order is fulfilled, or cancelled before it goes to a supplier (ORD, CAN)."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import contract
    from models.case import Ended
    from models.event_times import Arrival
    from models.message import Message
    from models.orders import OrderRequest
    from models.splits import OrderSplit
    from workflows.engine.case import Effect
    from workflows.engine.children import open_return, start_order, tell_case
    from workflows.engine.inbox import receives
    from workflows.engine.procedure import Ask, Procedure
    from workflows.engine.run import Engine, fresh_or_continued
    from workflows.orders.cancellation import return_of
    from workflows.orders.charges import attempt_of
    from workflows.orders.effects import (
        CheckSpecialOrder,
        LookUpArrival,
        OpenLateCancelReturn,
        ReturnOpened,
        SaveCharge,
        SplitOff,
        TellReturn,
    )
    from workflows.orders.events import apply, check, reply
    from workflows.orders.facts import OrderFacts
    from workflows.orders.lines import first_lines
    from workflows.orders.partner_calls import call_of
    from workflows.orders.plan import plan
    from workflows.orders.splitting import first_cancels
    from workflows.orders.view import facts_in_status, projection, result, view


@workflow.defn(name=contract.ORDER)
@receives(contract.ORDER_KIND, makes_refunds=True)
class Order:
    """One order of a buyer, from its receipt until every line is shipped, cancelled or voided."""

    @workflow.init
    def __init__(self, request: OrderRequest) -> None:
        procedure = Procedure(
            kind=contract.ORDER_KIND,
            check=check,
            apply=apply,
            plan=plan,
            view=view,
            facts_in_status=facts_in_status,
            projection=projection,
            perform=self._perform,
            result=result,
            reply=reply,
        )
        cancels = first_cancels(request.split_from)
        facts = fresh_or_continued(OrderFacts, request, lines=first_lines(request), cancels=cancels)
        self.engine: Engine[OrderFacts] = Engine(procedure, request, facts)

    @workflow.run
    async def run(self, request: OrderRequest) -> Ended:
        """Takes the order; gives how it ended. Bad input fails the workflow with `InvalidInput`."""
        await self.engine.run()
        return result(self.engine.facts)

    async def _perform(self, f: OrderFacts, effect: Effect, ask: Ask) -> Message | None:
        match effect:
            case OpenLateCancelReturn():
                return await self._open_return(f)
            case SaveCharge():
                await self._charge_saved(f, effect)
                return None
            case TellReturn():
                told = contract.RETURN_KIND.workflow_id(effect.return_id)
                await tell_case(told, contract.REPLACEMENT_NEWS, effect.news)
                return None
            case SplitOff():
                return await self._split_off(f, effect, ask)
            case LookUpArrival():
                return await _arrival(f, effect, ask)
            case CheckSpecialOrder():
                await self.engine.saved(f.steps)  # from then on no claim of these units is taken (CLM-1)
        answer: Message = await ask(*call_of(f, effect, workflow.info().run_id))
        return answer

    async def _split_off(self, f: OrderFacts, effect: SplitOff, ask: Ask) -> OrderSplit:
        """The database moves the units; the order that has them begins after that (CAN-10)."""
        answer: OrderSplit = await ask(*call_of(f, effect, workflow.info().run_id))
        if answer.request is not None:
            own_id = answer.request.order_id
            await start_order(answer.request, f"Order {own_id} · split off order {f.order_id}, to be cancelled")
        return answer

    async def _charge_saved(self, f: OrderFacts, effect: SaveCharge) -> None:
        charge = attempt_of(f.charges, effect.charge_id)
        assert charge is not None, "it was captured"
        await self.engine.saved(charge.captured_step)

    async def _open_return(self, f: OrderFacts) -> ReturnOpened:
        """What comes back is what the database has as shipped: so that is saved first (RET-2)."""
        await self.engine.saved(f.steps)
        request = return_of(f)
        summary = f"Return {request.return_id} · order {f.order_id} · cancelled too late"
        await open_return(request, summary)
        return ReturnOpened(return_id=request.return_id)


async def _arrival(f: OrderFacts, effect: LookUpArrival, ask: Ask) -> Message:
    """In this run's history; or in that of the run before, if the order continued as new just then."""
    info = workflow.info()
    found = Arrival()
    for run_id in (info.run_id, info.continued_run_id):
        if run_id is not None and found.at is None:
            found = await ask(*call_of(f, effect, run_id))
    return found
