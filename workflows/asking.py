"""How a case asks partners and the books, for as long as it takes, and tells people by e-mail."""

import asyncio
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from models import calls
    from models.calls import Call
    from models.case import Who
    from models.failures import Category
    from models.message import Message
    from models.partners import Mail, Recipient
    from workflows.standing import Standing

Asked = TypeVar("Asked", bound=Message)
Given = TypeVar("Given", bound=Message)

BOOKS_RETRY = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30))
PARTNER_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
MAIL_RETRY = RetryPolicy(initial_interval=timedelta(seconds=5), maximum_interval=timedelta(minutes=30))

PATIENCE = timedelta(minutes=10)
"""How long a partner may be out of order before staff are told."""
LONGEST_PAUSE = timedelta(hours=6)
BOOKS_PATIENCE = timedelta(seconds=30)
"""How long the books may keep silent before the case says that it waits for them."""
LONGEST_BOOKS_PATIENCE = timedelta(days=30)
BOOKS_PAUSE = timedelta(minutes=5)
MAIL_PATIENCE = timedelta(days=3)
BOOKS_BY_ORDINARY_ACTIVITY = "books-by-ordinary-activity"
"""The patch since which the books are no longer written by local activities."""


class Asking(Standing):
    """A case that asks partners and the books, and sends e-mails beside its procedure."""

    # ---- asking partners ----

    async def ask(
        self,
        call: Call[Asked, Given],
        message: Asked,
        *,
        stage: str,
        who: Who,
        what: str,
        timer: str | None = None,
    ) -> Given:
        """Ask a partner, for as long as it takes.

        While it is out of order the case says so, staff are told once, and it goes on by itself when the
        partner is back. Raises asyncio.CancelledError only.
        """
        self.stop_if_cancelled()
        pause = timedelta(minutes=15)
        told = False
        if workflow.info().run_id != workflow.info().first_execution_run_id:  # it was reset
            message = _tried_before(message)
        with self.waiting(stage, who, what):
            self._render()
            while True:
                try:
                    given: Given = await workflow.execute_activity(
                        call.name,
                        message,
                        result_type=call.gives,
                        start_to_close_timeout=timedelta(seconds=60),
                        schedule_to_close_timeout=PATIENCE,
                        retry_policy=PARTNER_RETRY,
                        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                        summary=what[:200],
                    )
                except ActivityError as error:
                    if is_cancelled_exception(error) or self._task_is_cancelled():
                        raise asyncio.CancelledError from None
                    if not told:
                        told = True
                        reason = reason_of(error)
                        self.step(f"{what}: no success yet ({reason}); it is tried again", who)
                        self.alert_staff(f"{call.name}-trouble-{len(self.timeline)}", f"{what}: {reason}", who)
                        await self.show()
                    await workflow.sleep(pause, summary=f"Pause before trying again: {what}"[:200])
                    pause = min(pause * 2, LONGEST_PAUSE)
                    message = _tried_before(message)
                else:
                    self.stop_if_cancelled()
                    return given

    async def book(self, call: Call[Asked, Given], message: Asked, what: str) -> Given:
        """Read or write the books: a quick, idempotent activity, tried until they answer.

        While they are away the case says so, and it goes on by itself when they are back.
        """
        try:
            return await self._book_once(call, message, what, BOOKS_PATIENCE)
        except FailureError as error:
            self._raise_if_cancelled(error)
            self.step(f"{what}: no success yet ({reason_of(error)}); it is tried again", Who.BOOKS)
        with self.waiting(self.stage, Who.BOOKS, f"answer: {what}"):
            self._render()
            while True:
                try:
                    return await self._book_once(call, message, what, LONGEST_BOOKS_PATIENCE)
                except FailureError as error:
                    self._raise_if_cancelled(error)
                await workflow.sleep(BOOKS_PAUSE, summary=f"Pause before trying again: {what}"[:200])

    def _raise_if_cancelled(self, error: FailureError) -> None:
        if is_cancelled_exception(error) and not self._stopping:
            raise asyncio.CancelledError from None

    async def _book_once(self, call: Call[Asked, Given], message: Asked, what: str, patience: timedelta) -> Given:
        given: Given
        async with self._booking:
            if not workflow.patched(BOOKS_BY_ORDINARY_ACTIVITY):
                given = await workflow.execute_local_activity(
                    call.name,
                    message,
                    result_type=call.gives,
                    start_to_close_timeout=timedelta(seconds=30),
                    schedule_to_close_timeout=patience,
                    retry_policy=BOOKS_RETRY,
                    summary=what,
                )
                return given
            # Not a local one: when it ends while a query is answered, a replay gives its end to an earlier task.
            given = await workflow.execute_activity(
                call.name,
                message,
                result_type=call.gives,
                start_to_close_timeout=timedelta(seconds=30),
                schedule_to_close_timeout=patience,
                retry_policy=BOOKS_RETRY,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                summary=what[:200],
            )
        return given

    def _task_is_cancelled(self) -> bool:
        """Whether this task was cancelled while it waited for an activity: one that fails swallows that."""
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0 and not self._stopping

    # ---- telling people ----

    def mail(
        self,
        key: str,
        template: str,
        to: Recipient,
        *,
        return_id: str | None = None,
        supplier_id: str | None = None,
        **facts: object,
    ) -> None:
        """Send an e-mail beside the procedure: a failing mail server holds up nothing (NTF-1).

        `key` names the event within this case: a second e-mail with the same key is not sent.
        """
        mail = Mail(
            key=f"{workflow.info().workflow_id}:{key}",
            template=template,
            to=to,
            order_id=self.order_id,
            return_id=return_id,
            seller_id=self.seller_id,
            supplier_id=supplier_id,
            facts={name: str(value) for name, value in facts.items() if value is not None},
        )
        self._mails.append(asyncio.create_task(self._send(mail), name=mail.key))

    def alert_staff(self, key: str, what: str, who_acts: str) -> None:
        """Tell staff that somebody must look at this case."""
        self.mail(
            f"alert-{key}",
            "staff_alert",
            Recipient.STAFF,
            what=what,
            who_acts=who_acts,
            case=workflow.info().workflow_id,
            since=workflow.now().strftime("%Y-%m-%d %H:%M UTC"),
        )

    async def _send(self, mail: Mail) -> None:
        summary = f"E-mail {mail.to}: {mail.template.replace('_', ' ')}"
        try:
            await workflow.execute_activity(
                calls.SEND_MAIL.name,
                mail,
                result_type=calls.SEND_MAIL.gives,
                start_to_close_timeout=timedelta(seconds=60),
                schedule_to_close_timeout=MAIL_PATIENCE,
                retry_policy=MAIL_RETRY,
                summary=summary,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            self.step(f"{summary}: could not be sent ({reason_of(error)})", Who.MAIL)


def _tried_before(message: Asked) -> Asked:
    """So that a connector of money looks for what an earlier activity may have done."""
    return message.model_copy(update={"again": True}) if "again" in type(message).model_fields else message


def reason_of(error: FailureError) -> str:
    """Why an activity gave up, in one line."""
    cause: BaseException = error
    while isinstance(cause, FailureError) and cause.cause is not None:
        cause = cause.cause
    if isinstance(cause, ApplicationError):
        return f"{cause.type or Category.INTERNAL.value}: {cause.message}"[:300]
    return str(cause)[:300]
