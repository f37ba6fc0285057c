"""How events reach a case: as a signal (fire and forget) or as an update (waits for the answer), alike.

A payload that does not fit must neither be dropped nor wedge the case, so the handlers take whatever was
sent, with any number of arguments, and `Inbox` reads it. What can't be used becomes a recorded rejection
(signal) or a refused update, which writes no history.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from models.case import Answer, RejectedEvent
    from models.failures import BackhaulError, Conflict, InvalidInput, NotFound, Problem
    from models.message import Event

REJECTIONS_SHOWN = 50
"""How many of the last rejected events a case shows; it counts them all."""


class Hearing(Protocol):
    """A case that hears events."""

    inbox: "Inbox"

    @property
    def stage(self) -> str: ...

    async def answer(self, event: Event, noted: str) -> tuple[bool, str]: ...


CaseClass = TypeVar("CaseClass", bound=type)


class Inbox:
    """Reads events, counts each once, and keeps those that could not be used.

    `check(name, event)` raises a BackhaulError when a rule refuses the event now, and changes nothing;
    `note(name, event)` records its facts and gives one line for the sender. `rejected()` is called after
    each rejection, so that people see it.
    """

    def __init__(
        self,
        events: dict[str, type[Event]],
        check: Callable[[str, Event], None],
        note: Callable[[str, Event], str],
        rejected: Callable[[], None],
    ) -> None:
        self._events = events
        self._check = check
        self._note = note
        self._tell = rejected
        self._seen: dict[str, str] = {}
        self.rejected: list[RejectedEvent] = []
        self.rejected_count = 0

    def read(self, name: str, payload: Sequence[Any]) -> Event:
        """The event in `payload`. Raises InvalidInput or NotFound that says what to mend."""
        model = self._events.get(name)
        if model is None:
            known = ", ".join(self._events)
            raise NotFound(f"there is no event {name[:100]!r} here; there are: {known}")
        if len(payload) != 1:
            raise InvalidInput(
                name, [Problem("(message)", f"is one JSON object; {len(payload)} arguments were sent")]
            )
        if isinstance(payload[0], RawValue) or not isinstance(payload[0], dict):
            raise InvalidInput(name, [Problem("(message)", "is not one JSON object")])
        return model.at_the_door(payload[0])

    def knows(self, event: Event) -> bool:
        """Whether an event with this id was counted before."""
        return event.event_id in self._seen

    def _require_own_id(self, name: str, event: Event) -> None:
        """Raise Conflict when the id of a known event comes under another name: that is another event."""
        known_as = self._seen.get(event.event_id, name)
        if known_as != name:
            raise Conflict(f"event_id was used by {known_as} already: give each event an id of its own")

    def take(self, name: str, payload: Sequence[Any]) -> None:
        """A signal: record its facts, or why it could not be used."""
        try:
            event = self.read(name, payload)
            if not self.knows(event):
                self._check(name, event)
                self.record(name, event)
            elif self._seen[event.event_id] != name and workflow.patched("an-id-names-one-event"):
                self._require_own_id(name, event)
        except BackhaulError as error:
            self.reject(name, str(error), _event_id(payload))

    def validate(self, name: str, payload: Sequence[Any]) -> None:
        """An update before it is accepted. Raises ApplicationError typed by the failure's category."""
        try:
            event = self.read(name, payload)
            if not self.knows(event):
                self._check(name, event)
            self._require_own_id(name, event)
        except BackhaulError as error:
            raise refusal(error) from None

    def record(self, name: str, event: Event) -> str:
        """Count the event and record its facts; a known one changes nothing."""
        if self.knows(event):
            return "known already; counted once"
        message = self._note(name, event)
        self._seen[event.event_id] = name
        return message

    def reject(self, name: str, reason: str, event_id: str | None) -> None:
        """Keep that an event could not be used: its name and the reason, never its data."""
        self.rejected_count += 1
        self.rejected.append(
            RejectedEvent(name=name[:100], reason=reason[:500], at=workflow.now(), event_id=event_id)
        )
        del self.rejected[:-REJECTIONS_SHOWN]
        self._tell()


def refusal(error: BackhaulError) -> ApplicationError:
    """The same failure for the caller of an update: its type is the category, its details the fields."""
    details: list[Any] = []
    if isinstance(error, InvalidInput):
        details = [{"field": problem.field, "message": problem.message} for problem in error.problems]
    return ApplicationError(str(error), *details, type=error.category.value, non_retryable=True)


def hears(events: dict[str, type[Event]]) -> Callable[[CaseClass], CaseClass]:
    """Class decorator: give a workflow a signal and an update for each event of the contract.

    Both take any number of arguments of any shape: the SDK would drop, or be wedged by, those that do not
    fit a typed handler. Names that are not in the contract become recorded rejections too.
    """

    def decorate(case: CaseClass) -> CaseClass:
        for name, model in events.items():
            description = (model.__doc__ or name).strip().splitlines()[0]
            _attach(case, _signal_handler(case, name, description))
            for function in _update_handler(case, name, description):
                _attach(case, function)
        return case

    return decorate


def _attach(case: type, function: Callable[..., Any]) -> None:
    setattr(case, function.__name__, function)


def _named(case: type, function: Callable[..., Any], name: str) -> None:
    function.__name__ = name
    function.__qualname__ = f"{case.__qualname__}.{name}"
    function.__module__ = case.__module__


def _signal_handler(case: type, name: str, description: str) -> Callable[..., Any]:
    def handle(self: Hearing, *payload: Any) -> None:
        self.inbox.take(name, payload)

    _named(case, handle, f"signal_{name}")
    return workflow.signal(name=name, description=description)(handle)


def _update_handler(case: type, name: str, description: str) -> list[Callable[..., Any]]:
    async def handle(self: Hearing, *payload: Any) -> Answer:
        event = self.inbox.read(name, payload)
        duplicate = self.inbox.knows(event)
        noted = self.inbox.record(name, event)
        accepted, message = await self.answer(event, noted)
        return Answer(accepted=accepted, duplicate=duplicate, stage=self.stage, message=message)

    def validate(self: Hearing, *payload: Any) -> None:
        self.inbox.validate(name, payload)

    _named(case, handle, f"update_{name}")
    _named(case, validate, f"validate_{name}")
    update = workflow.update(name=name, description=description)(handle)
    update.validator(validate)
    return [update, validate]


def _event_id(payload: Sequence[Any]) -> str | None:
    if len(payload) == 1 and isinstance(payload[0], dict):
        event_id = payload[0].get("event_id")
        if isinstance(event_id, str) and len(event_id) <= 100:
            return event_id
    return None
