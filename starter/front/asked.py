"""What the page says about a return: who asks, which order, which items, why, until when, in whose language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from models.case import CaseStatus
from models.settings import Settings

TEMPLATES: Final = Path(__file__).parent / "templates"
DEFAULT_LANGUAGE: Final = "en"
LANGUAGES: Final = frozenset(folder.name for folder in TEMPLATES.iterdir() if folder.is_dir())


@dataclass(frozen=True)
class Item:
    """Some units that come back."""

    sku: str
    title: str | None
    quantity: int
    reason: str


@dataclass(frozen=True)
class Asked:
    """What the supplier is asked, as it may see it: never what anybody paid. `due` is in its own time."""

    asked_by: str
    order_number: str
    items: Sequence[Item]
    due: str | None
    return_address: str | None


def asked_of(status: CaseStatus, settings: Settings) -> Asked:
    """What a return's own words say about it."""
    facts = status.facts
    zone = str(facts.get("supplier_time_zone") or "UTC")
    due = status.deadlines.get("rma_due")
    return Asked(
        asked_by=f"Backhaul, {settings.mail_from}",
        order_number=str(facts.get("supplier_order_number") or facts.get("order_id") or ""),
        items=[_item(line) for line in facts.get("lines") or ()],
        due=None if due is None else _moment(due, zone),
        return_address=facts.get("supplier_return_address"),
    )


def language_of(status: CaseStatus | None, accepted: str) -> str:
    """The supplier's own, else the first that its browser wants and we speak, else English."""
    wanted = [str((status.facts if status else {}).get("supplier_language") or "")]
    wanted += [part.partition(";")[0].strip() for part in accepted.split(",")]
    plain = (language.replace("_", "-").partition("-")[0].lower() for language in wanted)
    return next((language for language in plain if language in LANGUAGES), DEFAULT_LANGUAGE)


def _item(line: Mapping[str, Any]) -> Item:
    return Item(str(line["sku"]), line.get("title"), int(line["quantity"]), str(line.get("reason") or ""))


def _moment(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
