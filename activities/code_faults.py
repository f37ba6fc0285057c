"""Cases whose own code fails: tasks are tried for ever, and they can tell nobody. So the worker does (NTF-9)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Engine
from temporalio.client import Client, WorkflowExecution
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.database import Alerts, Contacts
from activities.mail.delivery import Mailer
from models.case import Who
from models.contract import KINDS, ORDER_ID, RETURN_ID, SELLER_ID, STAGE, TASK_QUEUE
from models.failures import BackhaulError
from models.ids import case_of
from models.partners import Mail, Recipient
from models.settings import Settings
from models.worklists import CODE_FAILS, NOT_OVER

LOOK_EVERY: Final = timedelta(minutes=1)
MOST_AT_ONCE: Final = 20
"""So many cases are told at one look; the worklist `faults_of_ours` shows them all."""

log: structlog.stdlib.BoundLogger = structlog.get_logger("worker")


class CodeFaults:
    """Tells staff once a day of each case whose workflow tasks fail; once the code is mended it goes on alone."""

    def __init__(self, client: Client, mailer: Mailer, task_queue: str = TASK_QUEUE) -> None:
        self._client = client
        self._mailer = mailer
        kinds = ", ".join(f'"{kind.name}"' for kind in KINDS)
        self._query = f'{CODE_FAILS} AND {NOT_OVER} AND WorkflowType IN ({kinds}) AND TaskQueue="{task_queue}"'

    async def tell_staff(self) -> list[str]:
        """The workflow ids of which staff are told, now or before. Raises RPCError, ApplicationError or
        BackhaulError when Temporal, the mail server or the database don't answer."""
        told = []
        async for case in self._client.list_workflows(self._query, limit=MOST_AT_ONCE):
            await self._mailer.send_mail(_letter(case, datetime.now(UTC)))
            told.append(case.id)
        return told

    async def watch(self) -> None:
        """Look again and again; whatever does not answer, or is a fault of ours, ends no more than this look."""
        while True:
            try:
                await self.tell_staff()
            except (RPCError, ApplicationError, BackhaulError) as error:
                log.warning("cases whose code fails can't be looked for", error=str(error))
            except Exception as fault:
                log.error("a fault of ours in the look for failing code", error=type(fault).__name__)
            await asyncio.sleep(LOOK_EVERY.total_seconds())


async def watch_code(client: Client, settings: Settings, engine: Engine) -> None:
    """Tell staff of such cases for as long as this worker runs."""
    contacts = Contacts(engine, settings)
    await CodeFaults(client, Mailer(settings, contacts, contacts, Alerts(engine), client.namespace)).watch()


def _letter(case: WorkflowExecution, now: datetime) -> Mail:
    kind, number = case_of(case.id)
    labels = case.typed_search_attributes
    stage = labels.get(STAGE)
    at = f" at its stage {stage.replace('_', ' ')}" if stage else " before its first step"
    return Mail(
        key=f"{case.id}:code-fault-{case.run_id}-{now.date().isoformat()}",
        template="staff_alert",
        to=Recipient.STAFF,
        order_id=labels.get(ORDER_ID) or number,
        return_id=labels.get(RETURN_ID) or (number if kind == "return" else None),
        seller_id=labels.get(SELLER_ID),
        supplier_id=None,
        facts={
            "what": f"our own code fails{at}: nothing is lost, and it goes on by itself once the code is mended",
            "who_acts": Who.BACKHAUL.value,
            "case": case.id,
            "since": now.isoformat(),
        },
    )
