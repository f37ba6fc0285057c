"""How many cases stand in each worklist, for monitoring (NTF-6)."""

import asyncio
from typing import Final

import structlog
from sqlalchemy import Engine
from temporalio.client import Client
from temporalio.runtime import Runtime

from activities.database import Reading
from activities.worklists import count_work
from models.failures import BackhaulError

log: structlog.stdlib.BoundLogger = structlog.get_logger("worker")

COUNT_WORK_SECONDS: Final = 60.0
"""How often the worklists are counted."""


async def tell_worklists(runtime: Runtime, client: Client, engine: Engine) -> None:
    """Tell monitoring once a minute how many cases stand in each worklist (NTF-6): `backhaul_worklist{work=...}`.

    The same from every worker. While the database or the Temporal server does not answer, or at a fault of ours,
    the last numbers stay.
    """
    gauge = runtime.metric_meter.create_gauge("backhaul_worklist", "Cases in a worklist: what people have to do")
    reading = Reading(engine)
    while True:
        try:
            counts = await count_work(client, reading)
        except BackhaulError as error:
            log.warning("worklists can't be counted", error=str(error))
        except Exception as fault:
            log.error("a fault of ours in the count of worklists", error=type(fault).__name__)
        else:
            for work, cases in counts.items():
                gauge.set(cases, {"work": work.value})
        await asyncio.sleep(COUNT_WORK_SECONDS)
