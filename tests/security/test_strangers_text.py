"""What strangers write is text: refused at the door, cleaned from partners, and never a command or markup."""

import ast
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from models.case import CaseStatus, RejectedEvent, SlaState, Step, Who
from models.case import Wait as ShownWait
from models.contract import KINDS, RETURN_KIND
from models.failures import InvalidInput
from models.message import Message
from models.parties import Seller, Supplier
from models.partners import RefundAnswer, RmaAnswer
from models.returns import ReturnLine, ReturnRequest
from models.text import as_markdown, kept_size, summary_of, visible, visible_json
from starter.cli.assembly import app
from starter.cli.case_status import show_status
from starter.cli.output import remark, say, show_failure, show_json, show_table
from workflows.engine.details import current_details
from workflows.engine.inbox import Receiver, take_signal
from workflows.engine.plan import Wait
from workflows.engine.procedure import CaseView
from workflows.returns.facts import ReturnFacts

ROOT = Path(__file__).resolve().parents[2]
TITLE = "\x1b]0;owned\x07"
HOSTILE = {
    "window title": TITLE,
    "link of a terminal": "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "colour by C1": "\x9b31mred",
    "backspace": "paid\x08\x08\x08\x08owed",
    "carriage return": "what is true\rwhat is shown",
    "DEL": "a\x7fb",
    "NUL": "a\x00b",
    "override": "RMA \u202e7-AMR",
    "isolate": "a \u2067b\u2069",
}
COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
"""What commands a terminal or turns a line around."""

DOORS = [(kind.name, model) for kind in KINDS for model in (kind.request, *kind.events.values())] + [
    ("settings", Seller),
    ("settings", Supplier),
]


@pytest.mark.parametrize(("where", "model"), DOORS, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_no_text_of_any_message_holds_what_commands_a_terminal(where: str, model: type[Message]) -> None:
    for hostile in HOSTILE.values():
        for field in set(model.model_fields) - model.own_fields:
            for value, place in ((hostile, field), ([{"name": hostile}], f"{field}.0.name")):
                with pytest.raises(InvalidInput) as refused:
                    model.at_the_door({field: value})
                (problem,) = refused.value.problems
                assert (problem.field, "control character U+" in problem.message) == (place, True)
                assert hostile not in str(refused.value)


@pytest.mark.parametrize("text", ["two\nlines", "two\r\nlines", "a\ttab", "line\u2028separator"])
def test_a_short_text_stands_on_one_line_and_a_long_one_may_have_several(text: str) -> None:
    line = {"sku": "A", "quantity": 1, "reason": "worn"}
    request = {"return_id": "RR-1", "order_id": "1", "lines": [line]}
    assert ReturnRequest.at_the_door({**request, "note": text}).note == text
    for field in ("sku", "reason"):
        with pytest.raises(InvalidInput, match=f"lines.0.{field}: stands on one line"):
            ReturnRequest.at_the_door({**request, "lines": [{**line, field: text}]})


@pytest.mark.parametrize(
    "text", ["ריבלין \u200f(תל אביב)", "Zoë Ångström", "李雷", "👩‍🔧 mechanic", "naïve\u00ad"]
)
def test_names_of_people_all_over_the_world_pass(text: str) -> None:
    line = {"sku": "A", "quantity": 1, "reason": text}
    request = ReturnRequest.at_the_door({"return_id": "RR-1", "order_id": "1", "lines": [line]})
    assert request.lines[0].reason == text


def test_what_is_nested_too_deep_is_refused_at_once() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidInput, match="nested more than 64 times"):
        ReturnRequest.at_the_door({"note": deep})


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_what_partners_answer_is_cleaned_where_it_is_taken(hostile: str) -> None:
    answer = RmaAnswer(state="refused", rma_number=f"R-{hostile}7", reason=hostile, return_address=f"1\n{hostile}")
    refund = RefundAnswer(state="failed", gateway_refund_id=f"re_{hostile}", reason=hostile)
    said = (answer.rma_number, answer.reason, answer.return_address, refund.gateway_refund_id, refund.reason)
    assert all(text is None or not COMMANDS.search(text) for text in said)
    assert (answer.return_address or "").startswith("1\n")


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_nothing_that_is_printed_commands_the_terminal(
    hostile: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "")
    status = status_that_says(hostile)
    show_status(status)
    say(hostile)
    show_table(("column",), [(hostile,), ((hostile, hostile),)])
    remark(hostile)
    show_failure(hostile)
    show_json(status)
    show_json([status])
    shown = capfd.readouterr()
    assert COMMANDS.findall((shown.out + shown.err).replace("\n", "")) == []
    assert CaseStatus.model_validate_json(visible_json(status.model_dump_json())) == status


def test_what_is_typed_is_not_printed_as_a_command() -> None:
    refused = CliRunner().invoke(app, ["status", TITLE])
    assert (refused.exit_code, "argument 2: holds the control character U+001B" in refused.output) == (2, True)
    assert not COMMANDS.search(refused.output.replace("\n", ""))


def status_that_says(text: str) -> CaseStatus:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    return CaseStatus(
        workflow_id="return-RR-1",
        stage=text,
        outcome=None,
        waiting_for=ShownWait(stage=text, who=Who.SELLER, what=text, since=at),
        also_waiting_for=(),
        deadlines={text: at},
        sla_state=SlaState.ON_TIME,
        timeline=(Step(at=at, what=text, who=text),),
        rejected_events=(RejectedEvent(at=at, name=text, reason=text),),
        rejected_count=1,
        facts={"reason": text, "lines": [{"note": text}], text: text},
    )


# ---- Markdown in the Temporal UI ----

MARKUP = {
    "link": "[click](http://evil.example)",
    "image": "![x](http://evil.example/pixel.png)",
    "reference": "[a]: http://evil.example",
    "autolink": "<http://evil.example>",
    "bare link": "see http://evil.example or www.evil.example",
    "mail": "write to boss@evil.example or mailto:boss@evil.example",
    "HTML": "<img src=x onerror=alert(1)><script>1</script>",
    "entity": "&lt;b&gt;",
    "emphasis": "**paid** __paid__ *paid* _paid_ ~~paid~~",
    "code": "`rm -rf` ``x``",
    "escaped already": "\\[a\\](b) \\",
    "cells": "a | b |\n| --- |\n| c",
    "heading": "# Paid",
    "new block": "x\n\n# Paid\n\n- [ ] done",
    "list": "- paid",
    "numbers": "1. paid",
    "rule": "---",
    "quote": "> paid",
    "line of a heading": "===",
}
LINKIFIED = re.compile(r"(https?://|www\.)[-.\w]+|[-.\w+]+@[-\w]+\.[-.\w]+", re.IGNORECASE)
"""What renderers of GitHub's Markdown make links of, whatever is escaped."""


@pytest.mark.parametrize("markup", MARKUP.values(), ids=MARKUP)
def test_NTF_3_words_of_others_are_text_in_the_temporal_ui_and_never_markup(markup: str) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    line = ReturnLine(sku="A", quantity=1, reason="worn")
    facts = ReturnFacts(
        now=at,
        created_at=at,
        request=ReturnRequest(return_id="RR-1", order_id="1", lines=(line,)),
        timeline=(Step(at=at, what=markup, who=markup),),
        rejected=(RejectedEvent(at=at, name=markup, reason=markup),),
        rejected_count=1,
    )
    view = CaseView(is_kept=True, attributes={}, deadlines={})
    wait = Wait(stage="in_transit", who=Who.SUPPLIER, what=markup, since=at)
    details = current_details(facts, (wait,), view, "in_transit")
    assert is_only(details, {"p", "strong", "table", "thead", "tbody", "tr", "th", "td", "br"})
    assert text_of(details).count(" ".join(markup.split())) == 5
    assert is_only(f"- {as_markdown(markup)}", {"ul", "li"})
    assert is_only(summary_of(markup), {"p"})


def is_only(markdown: str, tags: set[str]) -> bool:
    """Whether a renderer makes nothing but these of it."""
    html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown)
    return set(re.findall(r"<(\w+)", html)) <= tags and not LINKIFIED.search(html)


def text_of(markdown: str) -> str:
    """What people read, without characters that have no width."""
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(markdown)
    texts = (child.content for token in tokens for child in token.children or () if child.type.startswith("text"))
    return re.sub("[\u2060\u200c]", "", " ".join(texts))


@pytest.mark.parametrize("text", ["x" * 300, "ü" * 300, "*" * 300, "a" * 199 + "*", "short", "\x1b" * 90])
def test_a_summary_fits_whatever_it_is_made_of(text: str) -> None:
    summary = summary_of(text)
    assert kept_size(summary) <= 200
    assert summary.endswith("…") == (len(visible(text)) > 198 or text.count("*") > 99 or "ü" in text)


def test_json_that_is_shown_means_the_same() -> None:
    said = {"reason": "".join(HOSTILE.values())}
    shown = visible_json(json.dumps(said, ensure_ascii=False))
    assert json.loads(shown) == said
    assert not COMMANDS.search(shown)


# ---- where the cures are used ----


class Kept:
    """A case that keeps what it rejects."""

    def __init__(self) -> None:
        self.rejected: list[tuple[str, str, str | None]] = []

    def knows(self, event: Message, name: str) -> bool:
        return False

    def reject(self, name: str, reason: str, event_id: str | None) -> None:
        self.rejected.append((name, reason, event_id))


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_signal_that_can_not_be_used_is_kept_without_what_commands_a_terminal(hostile: str) -> None:
    case = Kept()
    take_signal(cast(Receiver, case), RETURN_KIND, f"no such {hostile}", [{"event_id": f"e {hostile}"}])
    take_signal(cast(Receiver, case), RETURN_KIND, "withdrawal", [{"event_id": "e", f"field {hostile}": hostile}])
    assert len(case.rejected) == 2
    assert not any(COMMANDS.search(text or "") for kept in case.rejected for text in kept)


def test_every_summary_in_the_temporal_ui_is_made_of_escaped_text() -> None:
    seen = 0
    for path in sorted((ROOT / "workflows").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                given = [word.value for word in node.keywords if word.arg in ("summary", "timeout_summary")]
                if called.startswith("workflow.") and given:
                    seen += 1
                    assert is_escaped(given[0]), f"{path.name}:{node.lineno} {ast.unparse(given[0])}"
    assert seen > 3


def is_escaped(value: ast.expr) -> bool:
    """Our own words and ids, or a text that was made a summary."""
    if isinstance(value, ast.JoinedStr):
        named = [ast.unparse(part.value) for part in value.values if isinstance(part, ast.FormattedValue)]
        return all(name.endswith("_id") for name in named)
    return isinstance(value, ast.Constant) or ast.unparse(value).startswith("summary_of(")
