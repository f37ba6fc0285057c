"""What people see on a case's page in the Temporal UI: current details, in Markdown (NTF-3)."""

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models.case import CaseStatus, SlaState, Wait

STEPS_SHOWN = 40


def current_details(status: CaseStatus) -> str:
    """What the case waits for, on whom, since when, due when; then what was done, and what was refused."""
    lines = [_headline(status), ""]
    if status.deadlines:
        lines += ["| deadline | until (UTC) |", "| --- | --- |"]
        lines += [_row(_words(name), _time(at)) for name, at in status.deadlines.items()]
        lines += [""]
    lines += ["| when (UTC) | what happened | who |", "| --- | --- | --- |"]
    if len(status.timeline) > STEPS_SHOWN:
        lines.append(_row("...", f"{len(status.timeline) - STEPS_SHOWN} earlier steps", ""))
    lines += [_row(_time(step.at), step.what, step.who) for step in status.timeline[-STEPS_SHOWN:]]
    if status.rejected_count:
        lines += ["", f"**{status.rejected_count} event(s) could not be used**", ""]
        lines += ["| when (UTC) | event | why |", "| --- | --- | --- |"]
        lines += [_row(_time(event.at), event.name, event.reason) for event in status.rejected_events[-10:]]
    return "\n".join(lines)


def _headline(status: CaseStatus) -> str:
    waits = ([status.waiting_for] if status.waiting_for else []) + list(status.also_waiting_for)
    if status.outcome is not None and not waits:
        headline = f"**Ended: {_words(status.outcome)}**"
    elif waits:
        headline = "  \n".join(_waiting(wait) for wait in waits)
    else:
        headline = f"**{_words(status.stage)}**"
    if status.sla_state is not SlaState.ON_TIME:
        headline += f"  \n**SLA {_words(status.sla_state.value)}**"
    return headline


def _waiting(wait: Wait) -> str:
    due = f", due {_time(wait.due)}" if wait.due else ""
    return f"**Waiting for the {wait.who}**: {wait.what}, since {_time(wait.since)}{due} (UTC)"


def _time(at: datetime) -> str:
    """To the minute; with hyphens and a space that do not break, as the UI's columns are narrow."""
    return f"{at:%Y\u2011%m\u2011%d\u00a0%H:%M}"


def _words(name: str) -> str:
    return name.replace("_", " ")


PADDING = "\u00a0\u00a0\u200c"
"""Two spaces that do not break, and a character without width behind them: Markdown would strip them."""


def _row(*cells: str) -> str:
    """A row of a table; padded, as the UI's tables are not."""
    clean = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return "| " + " | ".join(f"{cell}{PADDING}" for cell in clean) + " |"
