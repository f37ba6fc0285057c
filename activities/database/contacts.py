"""Whom a mail goes to, and which mails are out (NTF-1). Addresses and names stay here and in the mail."""

from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from activities.database.transactions import read, write
from models.orders import OrderRequest
from models.parties import Supplier
from models.partners import Contact, Mail, Recipient
from models.settings import Settings
from models.tables import MailRow, OrderLineRow, OrderRow, ReturnLineRow, ReturnRow, SellerRow, SupplierRow


class Contacts:
    """Address book and outbox of the mail activity."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def contact(self, mail: Mail) -> Contact | None:
        """Address, name and language of the recipient; none if the books do not know the seller or recipient.

        `facts`: `order_number` (as the buyer knows it), `channel`, `items` (a line each), and for a return
        `supplier_order_number`; `supplier_name` for everybody but the buyer, who knows only the seller (ORD-9).
        """
        return read(self._engine, lambda session: self._contact(session, mail))

    def was_sent(self, key: str) -> bool:
        """Whether the mail with this key is out."""
        return read(self._engine, lambda session: session.get(MailRow, key) is not None)

    def mark_sent(self, key: str, message_id: str) -> None:
        """Note that it is; noting it twice changes nothing."""

        def note(session: Session) -> None:
            if session.get(MailRow, key) is None:
                session.add(MailRow(key=key, message_id=message_id, at=datetime.now(UTC)))

        write(self._engine, note)

    def _contact(self, session: Session, mail: Mail) -> Contact | None:
        seller_row = session.get(SellerRow, mail.seller_id)
        if seller_row is None:
            return None
        seller = seller_row.settings
        order = session.get(OrderRow, mail.order_id)
        request = order.request if order is not None else None
        claimed = session.get(ReturnRow, mail.return_id) if mail.return_id is not None else None
        supplier = _supplier(session, mail, claimed)
        recipient = self._recipient(mail.to, seller.email, seller.name, seller.language, request, supplier)
        if recipient is None:
            return None
        email, name, language = recipient
        facts = _facts(session, request, claimed)
        if supplier is not None and mail.to is not Recipient.BUYER:
            facts["supplier_name"] = supplier.name
        return Contact(
            email=email,
            name=name,
            language=language,
            seller_name=seller.name,
            reply_to=seller.email if mail.to is Recipient.BUYER else None,
            buyer_name=request.buyer.address.name if request is not None else None,
            facts=facts,
        )

    def _recipient(
        self,
        to: Recipient,
        seller_email: str,
        seller_name: str,
        seller_language: str,
        request: OrderRequest | None,
        supplier: Supplier | None,
    ) -> tuple[str, str, str] | None:
        """E-mail, name and language."""
        match to:
            case Recipient.STAFF:
                return self._settings.mail_staff, "Staff", "en"
            case Recipient.SELLER:
                return seller_email, seller_name, seller_language
            case Recipient.SUPPLIER:
                return (supplier.email, supplier.name, supplier.language) if supplier is not None else None
            case Recipient.BUYER:
                if request is None:
                    return None
                return request.buyer.email, request.buyer.address.name, request.buyer.language


def _supplier(session: Session, mail: Mail, claimed: ReturnRow | None) -> Supplier | None:
    supplier_id = mail.supplier_id or (claimed.supplier_id if claimed is not None else None)
    row = session.get(SupplierRow, supplier_id) if supplier_id is not None else None
    return row.settings if row is not None else None


def _facts(session: Session, request: OrderRequest | None, claimed: ReturnRow | None) -> dict[str, str]:
    if request is None:
        return {}
    facts = {
        "order_number": request.channel_order_id or request.order_id,
        "channel": request.channel.value.replace("_", " "),
        "items": "\n".join(f"{line.quantity} x {line.title} ({line.sku})" for line in request.lines),
    }
    if claimed is not None:
        facts["supplier_order_number"] = claimed.supplier_order_number
        lines = session.exec(
            select(ReturnLineRow, OrderLineRow.title)
            .join(
                OrderLineRow,
                (col(OrderLineRow.sku) == col(ReturnLineRow.sku))
                & (col(OrderLineRow.order_id) == claimed.order_id),
            )
            .where(ReturnLineRow.return_id == claimed.return_id)
            .order_by(col(ReturnLineRow.position))
        )
        facts["items"] = "\n".join(f"{line.quantity} x {title} ({line.sku})" for line, title in lines)
    return facts
