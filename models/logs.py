"""Logs: one line per event, JSON or for people; never twice when a case is replayed; nothing personal."""

import logging
import logging.config
import sys
from typing import Any

import structlog
from structlog.types import EventDict, Processor
from temporalio import activity, workflow

from models.text import visible


def _drop_replayed(_: Any, __: str, event: EventDict) -> EventDict:
    """What a worker said when a case first went through here is not said again on replay."""
    if workflow.in_workflow() and workflow.unsafe.is_replaying_history_events():
        raise structlog.DropEvent
    return event


def _add_case(_: Any, __: str, event: EventDict) -> EventDict:
    """Which case, activity and attempt a line is about. Ids only: they hold nothing personal."""
    if workflow.in_workflow():
        about = workflow.info()
        event.update(workflow_id=about.workflow_id, run_id=about.run_id)
        if update := workflow.current_update_info():
            event.update(update=update.name)
    elif activity.in_activity():
        doing = activity.info()
        event.update(workflow_id=doing.workflow_id, activity=doing.activity_type, attempt=doing.attempt)
    return event


def configure_logs(log_format: str, log_level: str) -> None:
    """Send structlog and the standard library's loggers to stderr, in the same form.

    `log_format`: `console` or `json`. Colours only on a terminal.
    """
    shared: list[Processor] = [
        _drop_replayed,
        structlog.contextvars.merge_contextvars,
        _add_case,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(log_format))
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log_level)
    # A request line can hold what is personal or secret: a customer's number, the token of a supplier's link.
    # At DEBUG the SDK's worker writes whole payloads.
    for chatty in ("httpx", "httpcore", "uvicorn.access", "mail.log", "alembic", "temporalio.worker"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # The ids are fields of the line already.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False


def _rendering(log_format: str) -> list[Processor]:
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if log_format == "json":
        return [*last, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    # Plain tracebacks: the fancy ones show local variables, which hold personal data.
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return [*last, _visible, console]


def _visible(_: Any, __: str, event: EventDict) -> EventDict:
    """What strangers wrote must not command the terminal that a log is read on."""
    return {name: visible(value) if isinstance(value, str) else value for name, value in event.items()}
