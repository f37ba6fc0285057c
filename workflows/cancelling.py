"""Cancel requests of an order, and whether each came in time (CAN-1..4)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls
    from models.case import Who
    from models.orders import CancelRequest
    from models.partners import AskArrival
    from workflows.case import Case


@dataclass
class Requested:
    """A cancel request as it was handled. `people_awaited`: nothing was on its way, a person was waited for."""

    event: CancelRequest
    handled_at: datetime
    people_awaited: bool
    arrived_at: datetime | None = None
    message: str | None = None
    """What the sender is told, once it is decided."""


class Cancels:
    """Records cancel requests and decides them, one at a time, whoever asks for it."""

    def __init__(self) -> None:
        self.requests: list[Requested] = []
        self.accepted: Requested | None = None
        self.too_late: list[CancelRequest] = []
        self._deciding = asyncio.Lock()

    @property
    def call_for_action(self) -> bool:
        """Whether the procedure must look: something is undecided, or accepted and to be carried out."""
        return self.undecided or self.accepted is not None

    @property
    def undecided(self) -> bool:
        return any(request.message is None for request in self.requests)

    def note(self, event: CancelRequest, *, people_awaited: bool) -> None:
        self.requests.append(Requested(event, workflow.now(), people_awaited))

    def answer_to(self, event_id: str) -> str | None:
        """What the sender of this event is told; None while it is undecided."""
        return next((r.message for r in self.requests if r.event.event_id == event_id), None)

    def is_too_late(self, event_id: str) -> bool:
        return any(event.event_id == event_id for event in self.too_late)

    async def judge(
        self, case: Case, until: datetime | None, *, fulfilled: Callable[[], bool]
    ) -> list[CancelRequest]:
        """Decide all requests; gives those that came too late.

        A request in time is accepted: handled before `until`, or while a person was waited for, or, when the
        workers were late, recorded by the server before `until` (CAN-3). Never one after the order went to a
        supplier (CAN-4): the order goes there only when nothing is undecided.
        """
        late: list[CancelRequest] = []
        async with self._deciding:
            while self.undecided:
                request = next(r for r in self.requests if r.message is None)
                in_time = not fulfilled() and await self._in_time(case, request, until)
                if self.accepted is not None:
                    request.message = "the order is being cancelled already"
                elif in_time:
                    self.accepted = request
                    request.message = f"cancelled: {request.event.reason}"
                else:
                    closed = (
                        f"the cancel window closed at {until:%Y-%m-%d %H:%M:%S} UTC" if until else "it was sent"
                    )
                    request.message = f"already fulfilled: {closed}; once shipped it can be returned (CAN-2)"
                    late.append(request.event)
                case.step(f"cancel request: {request.message}", request.event.actor)
            self.too_late += late
        return late

    async def _in_time(self, case: Case, request: Requested, until: datetime | None) -> bool:
        request.arrived_at = request.handled_at
        if until is None or request.people_awaited or request.handled_at < until:
            return True
        info = workflow.info()
        arrival = await case.ask(
            calls.EVENT_ARRIVAL,
            AskArrival(
                workflow_id=info.workflow_id,
                run_id=info.run_id,
                event_name="cancel_request",
                event_id=request.event.event_id,
                event=request.event,
            ),
            stage=case.stage,
            who=Who.BACKHAUL,
            what="look up when the server received the cancel request",
        )
        if arrival.at is None:
            return False
        request.arrived_at = datetime.fromisoformat(arrival.at)
        return request.arrived_at < until
