"""Whom a mail goes to, and which mails are out (NTF-1). Addresses and names stay here and in the mail."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Engine, func, literal, select
from sqlmodel import Session, col

from activities.database.transactions import read, write
from activities.database.upserts import add_new
from models.orders import OrderRequest
from models.parties import Seller, Supplier
from models.partners import Addressee, Contact, Mail, Recipient
from models.reasons import reasons_in_words
from models.returns import OpenedReturn
from models.settings import Settings
from models.tables import MailRow, OrderRow, ReturnRow, SellerRow, SupplierRow


class Contacts:
    """Address book and outbox of the mail activity."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings

    def addressee(self, mail: Mail) -> Addressee:
        """Whether the mail is out, and the recipient's address, name, language and time zone; none if nobody knows
        the recipient. Staff are known whatever else is not.

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
        nothing_needed = select(literal(1).label("one")).subquery()
        row = session.execute(
            select(
                col(SellerRow.settings).label("seller"),
                col(OrderRow.request).label("order"),
                col(ReturnRow.opened),
                col(SupplierRow.settings).label("supplier"),
                col(MailRow.key),
            )
            .select_from(nothing_needed)
            .outerjoin(SellerRow, col(SellerRow.seller_id) == mail.seller_id)
            .outerjoin(OrderRow, col(OrderRow.order_id) == mail.order_id)
            .outerjoin(ReturnRow, returning)
            .outerjoin(SupplierRow, col(SupplierRow.supplier_id) == supplier_id)
            .outerjoin(MailRow, col(MailRow.key) == mail.key)
        ).one()
        contact = self._contact(mail, row.seller, row.order, row.supplier)
        if contact is not None:
            facts = _facts(row.order, row.opened)
            if row.supplier is not None and mail.to is not Recipient.BUYER:
                facts["supplier_name"] = row.supplier.name
            titles = _titles(row.order) if row.order is not None else {}
            own = row.seller.reasons if row.seller is not None else ()
            reasons = reasons_in_words(own, contact.language)
            contact = contact.model_copy(update={"facts": facts, "titles": titles, "reasons": reasons})
        return Addressee(is_sent=row.key is not None, contact=contact)

    def _contact(
        self, mail: Mail, seller: Seller | None, order: OrderRequest | None, supplier: Supplier | None
    ) -> Contact | None:
        reader = self._reader(mail.to, seller, order, supplier)
        if reader is None:
            return None
        return reader.model_copy(
            update={
                "seller_name": seller.name if seller is not None else mail.seller_id or "",
                "reply_to": seller.email if seller is not None and mail.to is Recipient.BUYER else None,
                "buyer_name": order.buyer.address.name if order is not None else None,
            }
        )

    def _reader(
        self, to: Recipient, seller: Seller | None, order: OrderRequest | None, supplier: Supplier | None
    ) -> Contact | None:
        """Address, name, language and time zone."""
        match to:
            case Recipient.STAFF:
                zone = self._settings.mail_staff_time_zone
                return Contact(email=self._settings.mail_staff, name="Staff", time_zone=zone, seller_name="")
            case Recipient.SELLER:
                return _party(seller)
            case Recipient.SUPPLIER:
                return _party(supplier)
            case Recipient.BUYER:
                if order is None or seller is None:
                    return None
                buyer = order.buyer
                return Contact(
                    email=buyer.email,
                    name=buyer.address.name,
                    language=buyer.language,
                    time_zone=seller.time_zone,
                    seller_name=seller.name,
                )


def _party(party: Seller | Supplier | None) -> Contact | None:
    if party is None:
        return None
    return Contact(
        email=party.email,
        name=party.name,
        language=party.language,
        time_zone=party.time_zone,
        seller_name="",
    )


def _titles(order: OrderRequest) -> dict[str, str]:
    """Of what was sold, and of what it is made of (ORD-14)."""
    return {item.sku: item.title for item in order.items} | {line.sku: line.title for line in order.lines}


def _facts(order: OrderRequest | None, opened: OpenedReturn | None) -> dict[str, str]:
    if order is None:
        return {}
    facts = {
        "order_number": order.channel_order_id or order.order_id,
        "channel": order.channel.value.replace("_", " "),
        "items": "\n".join(f"{line.quantity} x {line.title} ({line.sku})" for line in order.lines),
    }
    if opened is not None:
        titles = {item.line_id: item.title for item in order.items}
        facts["supplier_order_number"] = opened.supplier_order_number
        facts["items"] = "\n".join(
            f"{line.quantity} x {titles[line.line_id]} ({line.sku})" for line in opened.lines
        )
    return facts
