"""Which activities end in which worker: told by the worker over a socket, waited for by whoever plays the cases.

To wait so costs neither worker nor server anything; to ask a case for its stage again and again would.
"""

import asyncio
import json
import socket
from collections import Counter, defaultdict
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from temporalio import activity
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

_statements: ContextVar[list[int] | None] = ContextVar("statements", default=None)


# ---- in the worker ----


class Telling(ClientInterceptor, Interceptor):
    """Tells the end of each activity to the socket at this path."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.connect(str(path))

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Activity(next, self._tell)

    def _tell(self, told: dict[str, Any]) -> None:
        self._socket.send(json.dumps(told).encode())


class _Activity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, tell: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(next)
        self._tell = tell

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        counted = [0]
        token = _statements.set(counted)
        try:
            return await super().execute_activity(input)
        finally:
            _statements.reset(token)
            told = {
                "workflow_id": info.workflow_id,
                "activity": info.activity_type,
                "stage": _stage_in(input.args[0]) if input.args else None,
                "statements": counted[0],
            }
            self._tell(told)


def _stage_in(argument: Any) -> str | None:
    """The stage that a case saves: of Backhaul's record, or of the bare workflow's dictionary."""
    if isinstance(argument, dict):
        return argument.get("stage")
    return getattr(getattr(argument, "record", None), "stage", None)


def count_statements() -> None:
    """Count the SQL statements of each activity from now on, in this process; BEGIN and COMMIT are none."""

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        counted = _statements.get()
        if counted is not None and not statement.startswith("BEGIN"):
            counted[0] += 1

    event.listen(Engine, "before_cursor_execute", count)


# ---- where the cases are played ----


@dataclass(frozen=True)
class Ended:
    """An activity that ended: `stage` if it saved one."""

    workflow_id: str
    activity: str
    stage: str | None
    statements: int


class ActivityFeed:
    """What the workers tell. `listen` before they start; to be used inside a running loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.statements: Counter[str] = Counter()
        """SQL statements by workflow id, of workers that count them."""
        self._reached: set[tuple[str, str]] = set()
        self._waiting: defaultdict[tuple[str, str], list[asyncio.Future[None]]] = defaultdict(list)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def listen(self) -> None:
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    async def saved(self, workflow_id: str, stage: str, seconds: float = 180.0) -> None:
        """Wait until the case has saved this stage. Raises TimeoutError."""
        await self._until(workflow_id, stage, seconds)

    async def ended(self, workflow_id: str, activity: str, seconds: float = 180.0) -> None:
        """Wait until a try of this activity of the case has ended. Raises TimeoutError."""
        await self._until(workflow_id, activity, seconds)

    async def _until(self, workflow_id: str, what: str, seconds: float) -> None:
        key = (workflow_id, what)
        if key in self._reached:
            return
        future = asyncio.get_running_loop().create_future()
        self._waiting[key].append(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            raise TimeoutError(f"{workflow_id} has not come to {what} within {seconds:g} s") from None

    def _read(self) -> None:
        while True:
            try:
                told = Ended(**json.loads(self._socket.recv(65_536)))
            except BlockingIOError:
                return
            self._take(told)

    def _take(self, told: Ended) -> None:
        self.statements[told.workflow_id] += told.statements
        for what in (told.activity, told.stage):
            if what is not None:
                self._has_come_to((told.workflow_id, what))

    def _has_come_to(self, key: tuple[str, str]) -> None:
        self._reached.add(key)
        for future in self._waiting.pop(key, ()):
            if not future.done():
                future.set_result(None)
