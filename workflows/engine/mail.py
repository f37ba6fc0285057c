"""E-mails of a case (NTF-1): beside everything else, so that a failing mail server holds up nothing."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from models import calls
    from models.failures import Category
    from models.partners import Mail, MailSent
    from models.text import summary_of
    from workflows.engine.calls import Patience, Troubled, rest, setback
    from workflows.engine.case import CaseFacts, SendMail
    from workflows.engine.procedure import CouldNot


PATIENCE: Final = timedelta(days=3)
"""So long a mail is tried; then it counts as undeliverable (NTF-8)."""
MAIL: Final = Patience(
    one_try=timedelta(seconds=60),
    first_tries=0,
    first_interval=timedelta(seconds=5),
    longest_interval=timedelta(minutes=30),
    pause=timedelta(minutes=5),
    longest_pause=timedelta(hours=1),
)
TRIED_ON_EVERY: Final = timedelta(minutes=5)
"""At first, once people see that it does not go."""


async def send_mail(facts: CaseFacts, effect: SendMail, troubled: Troubled) -> None:
    """As `deliver`, of a case."""
    since = facts.done.get(effect.key, workflow.now())
    await deliver(mail_of(facts, effect, workflow.info().workflow_id), effect.summary, troubled, since)


async def deliver(
    mail: Mail, summary: str, troubled: Troubled | None = None, since: datetime | None = None
) -> None:
    """Send it once by its key. Raises CouldNot when it can never go, or could not for days (NTF-8). `since`: when
    it was tried first, in an earlier run of the case too.

    What lasts is told: an outage after ten minutes; at once that this mail server does not let us in, or does not
    take our own address, which staff mend.
    """
    until = (since or workflow.now()) + PATIENCE
    within = max(min(MAIL.before_alert, until - workflow.now()), MAIL.one_try)
    interval = MAIL.first_interval
    rounds = 0
    while True:
        try:
            sent = await _round(mail, summary, within, interval)
            break
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise asyncio.CancelledError from None
            why = setback(error, calls.SEND_MAIL)
            is_outage = why.category is Category.PARTNER_UNAVAILABLE
            pause = timedelta(0) if is_outage else MAIL.pause_after(rounds, Category.PARTNER_UNAVAILABLE)
            within = until - workflow.now() - 2 * pause
            if within < TRIED_ON_EVERY or (is_outage and rounds):
                raise CouldNot(why.reason) from None
            if troubled is not None:
                troubled(replace(why, alert=True))
        if pause:
            await rest(pause, f"Pause before trying again: {summary}")
        rounds, interval = rounds + 1, TRIED_ON_EVERY
    if sent.state in ("no_address", "undeliverable"):
        raise CouldNot(sent.reason or sent.state)


async def _round(mail: Mail, summary: str, within: timedelta, interval: timedelta) -> MailSent:
    sent: MailSent = await workflow.execute_activity(
        calls.SEND_MAIL.name,
        mail,
        result_type=calls.SEND_MAIL.gives,
        task_queue=calls.queue_of(workflow.info().task_queue, calls.SEND_MAIL.queue),
        start_to_close_timeout=MAIL.one_try,
        schedule_to_close_timeout=within,
        retry_policy=RetryPolicy(initial_interval=interval, maximum_interval=MAIL.longest_interval),
        summary=summary_of(summary),
    )
    return sent


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
