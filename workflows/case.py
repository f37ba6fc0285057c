"""The whole of a case: its procedure runs to its end, whatever happens, and the books say how it ended."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from models.case import Ended, Who
    from workflows.asking import Asking


class Case(Asking):
    """One long-running case; each workflow says what it is made of."""

    async def undo(self) -> None:
        """Compensate what must be when staff cancel the workflow; nothing, unless a workflow says so."""
        return

    async def finish(self) -> None:
        """Do what is left of a case that has its end, when staff cancel it then; nothing, unless it says so."""
        return

    def end(self, outcome: str, message: str) -> None:
        """The case has come to this end."""
        self.outcome = outcome
        self.closing_message = message
        self.step(message)

    async def conduct(self, procedure: Callable[[], Awaitable[None]]) -> Ended:
        """Run the procedure to its end, whatever happens on the way; the books say how it ended."""
        try:
            await procedure()
        except (asyncio.CancelledError, FailureError) as error:
            if not is_cancelled_exception(error):
                raise
            self._stopping = True
            self.step("the workflow was cancelled by staff", "staff:temporal")
            if self.outcome is None or not workflow.patched("stopped-after-its-end"):
                await self.undo()
                self.end("stopped", "stopped by staff; what had to be undone was undone")
                await self._close()
                raise
            await self.finish()
        try:
            await self._close()
        except (asyncio.CancelledError, FailureError) as error:
            if not is_cancelled_exception(error) or not workflow.patched("cancelled-as-it-closes"):
                raise
            # It has come to its end already: what is left to stop is the wait for the last e-mails.
            self._stopping = True
            self.step("cancelled by staff after its end", "staff:temporal")
            await self._close(with_mails=False)
        return Ended(
            workflow_id=workflow.info().workflow_id,
            outcome=self.outcome or "stopped",
            message=self.closing_message,
        )

    async def _close(self, *, with_mails: bool = True) -> None:
        await self.show()
        if with_mails and any(not mail.done() for mail in self._mails):
            with self.waiting(self.stage, Who.MAIL, "send the last e-mails"):
                for mail in self._mails:
                    await mail
        await workflow.wait_condition(workflow.all_handlers_finished)
        if len(self.timeline) > self._saved_steps:
            await self.save()
        self._render()


async def side_by_side(*parts: Coroutine[Any, Any, None]) -> None:
    """Do these at the same time. When staff stop the case none of them goes on: each has come to its end first."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    except asyncio.CancelledError:
        if workflow.patched("stopped-together"):
            await asyncio.gather(*tasks, return_exceptions=True)
        raise
