"""What people see on a case's page in the Temporal UI: current details, in Markdown (NTF-3)."""

from datetime import UTC, datetime

from models.case import SlaState
from models.text import as_markdown, counted
from models.worklists import WORKLISTS
from workflows.engine.case import CaseFacts
from workflows.engine.plan import Wait
from workflows.engine.procedure import CaseView
from workflows.engine.worklists import work_of

STEPS_SHOWN = 40
REJECTIONS_SHOWN = 10
_BREAK = "  \n"
"""Markdown's line break."""
HYPHEN = "\u2011"
"""One that does not break."""


def current_details(facts: CaseFacts, waits: tuple[Wait, ...], view: CaseView, stage: str) -> str:
    """What the case waits for, on whom, since when, due when; then what was done, and what was refused.

    The last steps alone are rendered: it takes the same time, however long a case has lived.
    """
    lines = [_BREAK.join([_headline(facts, waits, view, stage), *_rails(view), *_to_do(facts, waits, view)]), ""]
    if view.deadlines:
        lines += ["| deadline | until (UTC) |", "| --- | --- |"]
        lines += [_row(_words(name), _time(at)) for name, at in view.deadlines.items()]
        lines += [""]
    lines += ["| when (UTC) | what happened | who |", "| --- | --- | --- |"]
    if facts.steps > STEPS_SHOWN:
        lines.append(_row("...", f"{facts.steps - STEPS_SHOWN} earlier steps", ""))
    lines += [_row(_time(step.at), step.what, step.who) for step in facts.timeline[-STEPS_SHOWN:]]
    if facts.rejected_count:
        lines += ["", f"**{counted(facts.rejected_count, 'event')} could not be used**", ""]
        lines += ["| when (UTC) | event | why |", "| --- | --- | --- |"]
        wrong = [event for event in facts.rejected if event.sender_at_fault]
        lines += [_row(_time(event.at), event.name, event.reason) for event in wrong[-REJECTIONS_SHOWN:]]
    return "\n".join(lines)


def _rails(view: CaseView) -> list[str]:
    """Where the goods are and where the money is: two rails, never mixed (NTF-5)."""
    said = (("Goods", view.goods_said), ("Money", view.money_said))
    return [f"**{rail}**: {as_markdown(words)}" for rail, words in said if words]


def _to_do(facts: CaseFacts, waits: tuple[Wait, ...], view: CaseView) -> list[str]:
    """What people do next (NTF-6), and what holds the case up, with the partner's last words (NTF-9)."""
    lines = [f"**To do**: {WORKLISTS[work].to_do}" for work in work_of(facts, view, waits)]
    for key, trouble in facts.trouble.items():
        if key in facts.in_flight:
            what = facts.in_flight[key].summary
            why = as_markdown(trouble.reason)
            lines.append(f"**No answer yet**: {as_markdown(what)}, since {_time(trouble.since)} (UTC): {why}")
    return lines


def _headline(facts: CaseFacts, waits: tuple[Wait, ...], view: CaseView, stage: str) -> str:
    if facts.outcome is not None and not waits:
        headline = f"**Ended: {_words(facts.outcome)}**"
    elif waits:
        headline = "  \n".join(_waiting(wait) for wait in waits)
    else:
        headline = f"**{_words(stage)}**"
    if view.sla_state is not SlaState.ON_TIME:
        headline += f"  \n**SLA {_words(view.sla_state.value)}**"
    return headline


def _waiting(wait: Wait) -> str:
    due = f", due {_time(wait.due)}" if wait.due else ""
    return f"**Waiting for the {wait.who}**: {as_markdown(wait.what)}, since {_time(wait.since)}{due} (UTC)"


def _time(at: datetime) -> str:
    """To the minute; with hyphens and a space that do not break, as the UI's columns are narrow."""
    text = at.astimezone(UTC).isoformat()
    return f"{text[:10].replace('-', HYPHEN)}\u00a0{text[11:16]}"


def _words(name: str) -> str:
    return name.replace("_", " ")


PADDING = "\u00a0\u00a0\u200c"
"""Two spaces that do not break, and a character without width behind them: Markdown would strip them."""


def _row(*cells: str) -> str:
    """A row of a table; padded, as the UI's tables are not. Words of others are text, never markup."""
    return "| " + " | ".join(f"{as_markdown(cell)}{PADDING}" for cell in cells) + " |"
