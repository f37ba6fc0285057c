"""Worklists: what people have to do now, with a link into the Temporal UI for each (NTF-6)."""

from collections.abc import Mapping
from typing import Annotated

import typer

from models.message import Message
from models.worklists import WORKLISTS, Work


class WorklistShown(Message):
    """One worklist for programs. `cases`: how many stand in it; `link` opens `query` in the Temporal UI."""

    work: Work
    cases: int
    question: str
    to_do: str
    query: str
    link: str


def worklists(as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Each worklist: how many cases stand in it, its saved query of the Temporal UI, and what is to be done."""
    from models.environment import settings_from_environment, temporal_profile
    from starter.cli.case_lookup import books
    from starter.cli.output import run, say, show_json, show_table
    from starter.cli.worklist_cases import counted

    ui = str(settings_from_environment().temporal_ui_url)
    namespace = temporal_profile().get("namespace", "default")
    with books() as reading:
        counts = run(counted(reading))
    if as_json:
        show_json(
            [
                WorklistShown(
                    work=one.work,
                    cases=counts[one.work],
                    question=one.question,
                    to_do=one.to_do,
                    query=one.query,
                    link=one.link(ui, namespace),
                )
                for one in WORKLISTS.values()
            ]
        )
        return
    show_table(
        ("worklist", "cases", "which", "what to do"),
        ((one.work.value, counts[one.work], one.question, one.to_do) for one in WORKLISTS.values()),
        right=("cases",),
    )
    say("")
    say("backhaul list --work NAME shows one; in the Temporal UI:")
    for one in WORKLISTS.values():
        say(f"  {one.link(ui, namespace)}")


def show_links(ui: str, namespace: str, counts: Mapping[Work, int]) -> None:
    """Each worklist with the number of its cases, and the link that opens it in the Temporal UI."""
    from starter.cli.output import show_table

    show_table(
        ("worklist", "cases", "opens in the Temporal UI"),
        ((one.work.value, counts[one.work], one.link(ui, namespace)) for one in WORKLISTS.values()),
        right=("cases",),
    )


def show_work(work: Work, seller: str | None, limit: int, after: str | None, as_json: bool) -> None:
    """The cases of every kind that stand in one worklist, the most urgent first."""
    from starter.cli.case_lookup import books
    from starter.cli.output import remark, run, say, show_json, show_table
    from starter.cli.worklist_cases import found_in

    with books() as reading:
        found = run(found_in(reading, work, seller, limit, after))
    if as_json:
        show_json(found)
        return
    if not found:
        say("nothing to do")
        return
    show_table(
        ("case", "order", "seller", "stage", "goods", "money", "waiting on", "for", "due (UTC)"),
        (
            (
                row.standing.workflow_id,
                row.order_id,
                row.seller_id,
                row.standing.stage,
                (row.standing.custody or "").replace("_", " "),
                row.standing.money.value.replace("_", " "),
                row.standing.waiting_on,
                row.standing.waiting_for,
                row.standing.due_by,
            )
            for row in found
        ),
    )
    if len(found) == limit:
        remark(f"there may be more: --after {found[-1].standing.cursor}")
