"""E-mails of a case (NTF-1): beside everything else, so that a failing mail server holds up nothing."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from models import calls
    from models.partners import Mail, Recipient
    from models.text import summary_of
    from workflows.engine.calls import MAIL_PATIENCE, MAIL_RETRY, reason_of
    from workflows.engine.case import CaseFacts, SendMail
    from workflows.engine.procedure import CouldNot


async def send_mail(facts: CaseFacts, effect: SendMail) -> None:
    """Send it once by its key. Raises CouldNot when the mail server did not take it for days."""
    about_case = effect.to is not Recipient.STAFF or effect.template != "staff_alert"
    mail = Mail(
        key=f"{workflow.info().workflow_id}:{effect.key.removeprefix('mail:')}",
        template=effect.template,
        to=effect.to,
        order_id=facts.order_id,
        return_id=facts.return_id if about_case else None,
        seller_id=facts.seller_id,
        supplier_id=facts.supplier_id if about_case else None,
        facts=effect.facts,
    )
    try:
        await workflow.execute_activity(
            calls.SEND_MAIL.name,
            mail,
            result_type=calls.SEND_MAIL.gives,
            task_queue=calls.queue_of(workflow.info().task_queue, calls.SEND_MAIL.queue),
            start_to_close_timeout=timedelta(seconds=60),
            schedule_to_close_timeout=MAIL_PATIENCE,
            retry_policy=MAIL_RETRY,
            summary=summary_of(effect.summary),
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise asyncio.CancelledError from None
        raise CouldNot(reason_of(error)) from None
