"""Whom a mail goes to, and which mails are out (NTF-1). Addresses and names stay here and in the mail."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Engine, func, literal, select
from sqlmodel import Session, col

from activities.database.transactions import read, write
from activities.database.upserts import add_new
from models.orders import OrderRequest
from models.parties import Seller, Supplier
from models.partners import Addressee, Contact, Mail, Recipient
from models.returns import OpenedReturn
from models.settings import Settings
from models.tables import MailRow, OrderRow, ReturnRow, SellerRow, SupplierRow


class Contacts:
    """Address book and outbox of the mail activity."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def addressee(self, mail: Mail) -> Addressee:
        """Whether the mail is out, and the recipient's address, name and language; none if nobody knows the seller
        or the recipient.

        `facts`: `order_number` (as the buyer knows it), `channel`, `items` (a line each), and for a return
        `supplier_order_number`; `supplier_name` for everybody but the buyer, who knows only the seller (ORD-9).
        """
        return read(self._engine, lambda session: self._addressee(session, mail))

    def mark_sent(self, key: str, message_id: str) -> None:
        """Note that it is out; noting it twice changes nothing."""
        row = {"key": key, "message_id": message_id, "at": datetime.now(UTC)}
        write(self._engine, lambda session: add_new(session, MailRow, [row]))

    def _addressee(self, session: Session, mail: Mail) -> Addressee:
        returning: ColumnElement[bool] = col(ReturnRow.return_id) == mail.return_id
        supplier_id = func.coalesce(literal(mail.supplier_id), col(ReturnRow.supplier_id))
        row = session.execute(
            select(
                col(SellerRow.settings).label("seller"),
                col(OrderRow.request).label("order"),
                col(ReturnRow.opened),
                col(SupplierRow.settings).label("supplier"),
                col(MailRow.key),
            )
            .select_from(SellerRow)
            .outerjoin(OrderRow, col(OrderRow.order_id) == mail.order_id)
            .outerjoin(ReturnRow, returning)
            .outerjoin(SupplierRow, col(SupplierRow.supplier_id) == supplier_id)
            .outerjoin(MailRow, col(MailRow.key) == mail.key)
            .where(col(SellerRow.seller_id) == mail.seller_id)
        ).one_or_none()
        if row is None:
            return Addressee(is_sent=False, contact=None)
        contact = self._contact(mail.to, row.seller, row.order, row.supplier)
        if contact is not None:
            facts = _facts(row.order, row.opened)
            if row.supplier is not None and mail.to is not Recipient.BUYER:
                facts["supplier_name"] = row.supplier.name
            contact = contact.model_copy(update={"facts": facts})
        return Addressee(is_sent=row.key is not None, contact=contact)

    def _contact(
        self, to: Recipient, seller: Seller, order: OrderRequest | None, supplier: Supplier | None
    ) -> Contact | None:
        recipient = self._recipient(to, seller, order, supplier)
        if recipient is None:
            return None
        email, name, language = recipient
        return Contact(
            email=email,
            name=name,
            language=language,
            seller_name=seller.name,
            reply_to=seller.email if to is Recipient.BUYER else None,
            buyer_name=order.buyer.address.name if order is not None else None,
        )

    def _recipient(
        self, to: Recipient, seller: Seller, order: OrderRequest | None, supplier: Supplier | None
    ) -> tuple[str, str, str] | None:
        """E-mail, name and language."""
        match to:
            case Recipient.STAFF:
                return self._settings.mail_staff, "Staff", "en"
            case Recipient.SELLER:
                return seller.email, seller.name, seller.language
            case Recipient.SUPPLIER:
                return (supplier.email, supplier.name, supplier.language) if supplier is not None else None
            case Recipient.BUYER:
                if order is None:
                    return None
                return order.buyer.email, order.buyer.address.name, order.buyer.language


def _facts(order: OrderRequest | None, opened: OpenedReturn | None) -> dict[str, str]:
    if order is None:
        return {}
    facts = {
        "order_number": order.channel_order_id or order.order_id,
        "channel": order.channel.value.replace("_", " "),
        "items": "\n".join(f"{line.quantity} x {line.title} ({line.sku})" for line in order.lines),
    }
    if opened is not None:
        titles = {line.sku: line.title for line in order.lines}
        facts["supplier_order_number"] = opened.supplier_order_number
        facts["items"] = "\n".join(f"{line.quantity} x {titles[line.sku]} ({line.sku})" for line in opened.lines)
    return facts
