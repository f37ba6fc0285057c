"""How events reach a case: as a signal (fire and forget) or as an update (waits for the answer), alike.

A payload that does not fit must neither be dropped nor wedge the case, so the handlers take whatever was sent,
with any number of arguments, and read it here. What can't be used becomes a recorded rejection (signal) or a
refused update, which writes no history. Handlers record facts, nothing else.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from models import contract
    from models.case import Answer, CaseStatus
    from models.contract import CaseKind
    from models.failures import BackhaulError, InvalidInput, NotFound, Problem
    from models.message import Event, Message
    from models.refunds import RefundResult
    from models.text import one_line
    from workflows.engine.procedure import Reply
    from workflows.refunds.attempts import RefundReported


class Receiver(Protocol):
    """What runs a case (`workflows.engine.run.Engine`), as its handlers know it."""

    @property
    def kind(self) -> CaseKind: ...
    @property
    def stage(self) -> str: ...
    def knows(self, event: Event, name: str) -> bool: ...
    def check(self, name: str, event: Event) -> None: ...
    def receive(self, name: str, event: Event) -> str: ...
    def reject(self, name: str, reason: str, event_id: str | None) -> None: ...
    def take(self, fact: Message) -> None: ...
    def status(self) -> CaseStatus: ...
    async def reply_to(self, event: Event, noted: str) -> Reply: ...


class Running(Protocol):
    """A workflow that is a case."""

    engine: Receiver


CaseClass = TypeVar("CaseClass", bound=type)

IN_THE_UI: Final = "staff:temporal-ui"
"""The actor of an update that names none: people fill in a form of the Temporal UI."""


def read(kind: CaseKind, name: str, payload: Sequence[Any]) -> Event:
    """The event in `payload`. Raises InvalidInput, NotFound or NotTheirs that says what to mend."""
    model = kind.events.get(name)
    if model is None:
        known = ", ".join(kind.events)
        raise NotFound(f"there is no event {name[:100]!r} here; there are: {known}")
    event = model.at_the_door(_one_object(name, payload))
    kind.require_sender(name, event)
    return event


def _one_object(name: str, payload: Sequence[Any]) -> dict[str, Any]:
    if len(payload) != 1:
        raise InvalidInput(name, [Problem("(message)", f"is one JSON object; {len(payload)} arguments were sent")])
    if not isinstance(payload[0], dict):
        raise InvalidInput(name, [Problem("(message)", "is not one JSON object")])
    return payload[0]


def with_defaults(payload: Sequence[Any], update_id: str) -> Sequence[Any]:
    """An update that leaves out `event_id` and `actor`, as people in the Temporal UI do: the server keeps its id
    apart from those of others, and it is taken for staff's. A signal has no id of its own, so it must say both."""
    if len(payload) != 1 or not isinstance(payload[0], dict):
        return payload
    said = {name: value for name, value in payload[0].items() if value != ""}
    return [{"event_id": f"update-{update_id}", "actor": IN_THE_UI} | said]


def _read_update(kind: CaseKind, name: str, payload: Sequence[Any]) -> Event:
    update = workflow.current_update_info()
    assert update is not None, "an update is handled"
    return read(kind, name, with_defaults(payload, update.id))


def take_signal(engine: Receiver, kind: CaseKind, name: str, payload: Sequence[Any]) -> None:
    """Record the facts of the event, or why it could not be used."""
    try:
        event = read(kind, name, payload)
        if not engine.knows(event, name):
            engine.check(name, event)
            engine.receive(name, event)
    except BackhaulError as error:
        engine.reject(one_line(name), one_line(str(error)), _event_id(payload))


def take_report(
    engine: Receiver, name: str, payload: Sequence[Any], fact: Callable[[dict[str, Any]], Message]
) -> None:
    """Record what another case of ours says of itself, or that it could not be read."""
    try:
        engine.take(fact(_one_object(name, payload)))
    except BackhaulError as error:
        engine.reject(name, str(error), None)


def refusal(error: BackhaulError) -> ApplicationError:
    """The same failure for the caller of an update: its type is the category, its details the fields."""
    details: list[Any] = []
    if isinstance(error, InvalidInput):
        details = [{"field": problem.field, "message": problem.message} for problem in error.problems]
    return ApplicationError(str(error), *details, type=error.category.value, non_retryable=True)


def _event_id(payload: Sequence[Any]) -> str | None:
    if len(payload) == 1 and isinstance(payload[0], dict):
        event_id = payload[0].get("event_id")
        if isinstance(event_id, str) and len(event_id) <= 100:
            return one_line(event_id) or None
    return None


# ---- the handlers of a workflow ----


class _Messages:
    """What every case understands beside its events; the decorator gives it to each kind of case."""

    engine: Receiver

    @workflow.query(name="status", description="Stage, what it waits for, deadlines, timeline, facts")
    def status(self) -> CaseStatus:
        return self.engine.status()

    @workflow.signal(dynamic=True, description="Unknown names are recorded as rejected events")
    def unknown_signal(self, name: str, payload: Sequence[RawValue]) -> None:
        take_signal(self.engine, self.engine.kind, name, payload)

    @workflow.signal(
        name=contract.REFUND_TAKEN_BACK, description="What a refund of this case says of itself later"
    )
    def refund_reported(self, *payload: Any) -> None:
        take_report(
            self.engine,
            contract.REFUND_TAKEN_BACK,
            payload,
            lambda said: RefundReported(result=RefundResult.at_the_door(said)),
        )


def receives(kind: CaseKind, *, makes_refunds: bool = False) -> Callable[[CaseClass], CaseClass]:
    """Class decorator: the query `status`, a signal and an update for each event of the contract, and one signal
    for any other name, which becomes a recorded rejection.

    All take any number of arguments of any shape: the SDK would drop, or be wedged by, those that do not fit a
    typed handler. `makes_refunds`: its refunds tell it what becomes of them (REF-7).
    """

    def decorate(case: CaseClass) -> CaseClass:
        _attach(case, _Messages.status)
        _attach(case, _Messages.unknown_signal)
        for name, model in kind.events.items():
            description = (model.__doc__ or name).strip().splitlines()[0]
            _attach(case, _signal_handler(case, kind, name, description))
            for function in _update_handler(case, kind, name, description):
                _attach(case, function)
        if makes_refunds:
            _attach(case, _Messages.refund_reported)
        return case

    return decorate


def _attach(case: type, function: Callable[..., Any]) -> None:
    setattr(case, function.__name__, function)


def _named(case: type, function: Callable[..., Any], name: str) -> None:
    function.__name__ = name
    function.__qualname__ = f"{case.__qualname__}.{name}"
    function.__module__ = case.__module__


def _signal_handler(case: type, kind: CaseKind, name: str, description: str) -> Callable[..., Any]:
    def handle(self: Running, *payload: Any) -> None:
        take_signal(self.engine, kind, name, payload)

    _named(case, handle, f"signal_{name}")
    return workflow.signal(name=name, description=description)(handle)


def _update_handler(case: type, kind: CaseKind, name: str, description: str) -> list[Callable[..., Any]]:
    async def handle(self: Running, *payload: Any) -> Answer:
        event = _read_update(kind, name, payload)
        duplicate = self.engine.knows(event, name)
        noted = "known already; counted once" if duplicate else self.engine.receive(name, event)
        reply = await self.engine.reply_to(event, noted)
        return Answer(accepted=reply.accepted, duplicate=duplicate, stage=self.engine.stage, message=reply.message)

    def validate(self: Running, *payload: Any) -> None:
        try:
            event = _read_update(kind, name, payload)
            if not self.engine.knows(event, name):
                self.engine.check(name, event)
        except BackhaulError as error:
            raise refusal(error) from None

    _named(case, handle, f"update_{name}")
    _named(case, validate, f"validate_{name}")
    update = workflow.update(name=name, description=description)(handle)
    update.validator(validate)
    return [update, validate]
