"""What the reader of a mail may see: the books' facts, who and what it is about, and the mail's own facts."""

from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from activities.mail.phrases import in_language
from models.links import rma_link
from models.message import folded
from models.partners import Contact, Mail, Recipient
from models.settings import Settings

ALWAYS: Final = (
    "order_id",
    "order_number",
    "channel",
    "items",
    "supplier_order_number",
    "supplier_name",
    "supplier_id",
    "seller_id",
    "seller_name",
    "buyer_name",
    "name",
    "return_id",
    "case",
    "page",
    "link",
    "link_until",
    "reader",
    "reader_name",
    "reader_email",
    "quoted_subject",
    "quoted_text",
    "cases",
    "worklist",
    "silent_until",
)
"""Facts that every template may show, where the case has them; no mail need carry them."""


_REASONS: Final = ("why", "reason")


def facts_for(settings: Settings, namespace: str, mail: Mail, contact: Contact) -> dict[str, str]:
    """Facts by name; the mail's own win. `namespace`: in which the case runs. Moments are RFC 3339, several lines
    stand on lines."""
    case = mail.key.partition(":")[0]
    facts = {
        "order_number": mail.order_id,
        **contact.facts,
        "order_id": mail.order_id,
        "name": contact.name,
        "seller_name": contact.seller_name,
        "case": case,
    }
    if mail.seller_id:
        facts["seller_id"] = mail.seller_id
    if contact.buyer_name:
        facts["buyer_name"] = contact.buyer_name
    if mail.supplier_id:
        facts["supplier_id"] = mail.supplier_id
    if mail.return_id:
        facts["return_id"] = mail.return_id
        if mail.to is Recipient.SUPPLIER:
            # Made here: a link in a history would be a key left in the door (RET-8).
            facts["link"] = rma_link(settings, mail.return_id)
            until = datetime.now(UTC) + timedelta(days=settings.rma_link_days)
            facts["link_until"] = until.isoformat()
    if mail.lines:
        facts["items"] = _items(mail, contact)
    if (page := page_of(settings, namespace, mail.to, mail.facts.get("case", case))) is not None:
        facts["page"] = page
    ours = {name: in_language(mail.facts[name], contact.language) for name in _REASONS if name in mail.facts}
    return facts | mail.facts | ours


def page_of(settings: Settings, namespace: str, to: Recipient, case: str) -> str | None:
    """Where this reader looks at the case `case` (a workflow id), and acts on it; none: there is no such page."""
    if to is Recipient.STAFF:
        ui = str(settings.temporal_ui_url).rstrip("/")
        return f"{ui}/namespaces/{quote(namespace, safe='')}/workflows/{quote(case, safe='')}"
    if to is Recipient.SELLER and settings.seller_page_url is not None:
        return f"{str(settings.seller_page_url).rstrip('/')}/{quote(case, safe='')}"
    return None


def _items(mail: Mail, contact: Contact) -> str:
    """A line each, with the title beside the code: `2 x Brake disc (BRK-100): does not fit`."""
    titles = contact.titles
    return "\n".join(
        f"{line.quantity} x {f'{titles[line.sku]} ({line.sku})' if line.sku in titles else line.sku}"
        + (f": {contact.reasons.get(folded(line.remark), line.remark)}" if line.remark else "")
        for line in mail.lines
    )
