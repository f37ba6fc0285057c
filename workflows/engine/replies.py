"""What the senders of updates are told once it is decided.

The case's loop alone replies: when a history is replayed, the SDK may hand over two of its tasks as one, and what
handlers wait for by themselves would then come in another order among the case's commands.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.message import Event
    from workflows.engine.case import CaseFacts
    from workflows.engine.procedure import Procedure, Reply, noted

F = TypeVar("F", bound=CaseFacts)


@dataclass
class _Sender:
    event: Event
    noted_as: str
    reply: asyncio.Future[Reply]
    timer: asyncio.Task[None] | None = None

    def is_told(self, reply: Reply) -> None:
        self.reply.set_result(reply)
        if self.timer is not None:
            self.timer.cancel()


class Replies(Generic[F]):
    """Who waits for a decision, of one case."""

    def __init__(self, procedure: Procedure[F]) -> None:
        self._procedure = procedure
        self._waiting: list[_Sender] = []

    @property
    def are_decided_later(self) -> bool:
        """Whether some events of this kind of case are more than noted."""
        return self._procedure.reply is not noted

    async def to(self, event: Event, noted_as: str) -> Reply:
        """What the sender is told when the loop knows it, or cannot for so long that nobody waits any more."""
        sender = _Sender(event, noted_as, asyncio.get_running_loop().create_future())
        self._waiting.append(sender)
        return await sender.reply

    def give(self, facts: F, stage: str) -> None:
        """Reply to all about whom these facts decide; to others after `reply_within`."""
        waiting, self._waiting = self._waiting, []
        for sender in waiting:
            decided = self._procedure.reply(facts, sender.event)
            if decided is not None:
                sender.is_told(Reply(decided.accepted, decided.message or sender.noted_as))
            elif facts.outcome is not None:
                sender.is_told(Reply(False, f"the {self._procedure.kind.name.lower()} is {stage}"))
            else:
                self._waiting.append(sender)
                self._keep_timer(sender)

    def _keep_timer(self, sender: _Sender) -> None:
        within = self._procedure.reply_within
        if sender.timer is None and within is not None:
            sender.timer = asyncio.create_task(self._runs_out(sender, within), name="reply")

    async def _runs_out(self, sender: _Sender, within: timedelta) -> None:
        await workflow.sleep(within, summary="Answer the update by now")
        self._waiting.remove(sender)
        sender.timer = None
        sender.is_told(Reply(True, f"{sender.noted_as}; what becomes of it is not known yet: see the status"))
