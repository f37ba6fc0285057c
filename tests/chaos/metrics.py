"""What a worker tells of itself while it runs: its Prometheus metrics (`BACKHAUL_METRICS_ADDRESS`)."""

import re
from typing import Final

import httpx

from starter.ops.stack import LOCAL
from tests.chaos.ports import lasting_port

_SAMPLE: Final = re.compile(r"^(\w+)\{(.*)\} (\S+)$", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')


class Gauges:
    """The metrics of one worker process, on a port of their own."""

    def __init__(self) -> None:
        self.address = f"{LOCAL}:{lasting_port()}"

    async def activities(self) -> int:
        """How many activities are under way in the worker."""
        return await self._sum("temporal_worker_task_slots_used", worker_type="ActivityWorker")

    async def activities_done(self) -> int:
        """How many activities have come to an end in the worker, told to the server or not."""
        return await self._sum("temporal_activity_execution_latency_count")

    async def _sum(self, name: str, **labels: str) -> int:
        async with httpx.AsyncClient() as http:
            said = (await http.get(f"http://{self.address}/metrics", timeout=20)).text
        return sum(
            int(float(value))
            for sample, raw, value in _SAMPLE.findall(said)
            if sample == name and labels.items() <= dict(_LABEL.findall(raw)).items()
        )
