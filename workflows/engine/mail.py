"""E-mails of a case (NTF-1): beside everything else, so that a failing mail server holds up nothing."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from models import calls
    from models.partners import Mail, MailSent
    from models.text import summary_of
    from workflows.engine.calls import MAIL_PATIENCE, MAIL_RETRY, reason_of
    from workflows.engine.case import CaseFacts, SendMail
    from workflows.engine.procedure import CouldNot


async def send_mail(facts: CaseFacts, effect: SendMail) -> None:
    """As `deliver`, of a case."""
    await deliver(mail_of(facts, effect, workflow.info().workflow_id), effect.summary)


async def deliver(mail: Mail, summary: str) -> None:
    """Send it once by its key. Raises CouldNot when it can never go, or could not for days (NTF-8)."""
    try:
        sent: MailSent = await workflow.execute_activity(
            calls.SEND_MAIL.name,
            mail,
            result_type=calls.SEND_MAIL.gives,
            task_queue=calls.queue_of(workflow.info().task_queue, calls.SEND_MAIL.queue),
            start_to_close_timeout=timedelta(seconds=60),
            schedule_to_close_timeout=MAIL_PATIENCE,
            retry_policy=MAIL_RETRY,
            summary=summary_of(summary),
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise asyncio.CancelledError from None
        raise CouldNot(reason_of(error)) from None
    if sent.state in ("no_address", "undeliverable"):
        raise CouldNot(sent.reason or sent.state)


def mail_of(facts: CaseFacts, effect: SendMail, workflow_id: str) -> Mail:
    """The mail as the activity gets it: about the case, whatever of it is known."""
    return Mail(
        key=f"{workflow_id}:{effect.key.removeprefix('mail:')}",
        template=effect.template,
        to=effect.to,
        order_id=facts.order_id,
        return_id=facts.return_id,
        seller_id=facts.seller_id or None,
        supplier_id=facts.supplier_id,
        facts=effect.facts,
        lines=effect.lines,
        quotes=effect.quotes,
        topic=effect.topic,
    )
