"""What really happened at all partners: the facts that an auditor compares."""

from decimal import Decimal
from typing import Final

from starter.sandbox import facts
from starter.sandbox.authorize_net_books import AuthorizeNetBooks
from starter.sandbox.partners import Partners
from starter.sandbox.paypal_books import PayPalBooks
from starter.sandbox.stripe_books import PaymentBooks
from starter.sandbox.stripe_objects import as_decimal

OUR_ID: Final = "backhaul_id"

_OF_PAYPAL: Final = {"COMPLETED": "succeeded", "PENDING": "pending", "FAILED": "failed", "CANCELLED": "canceled"}
_OF_AUTHORIZE_NET: Final = {
    "refundPendingSettlement": "pending",
    "refundSettledSuccessfully": "succeeded",
    "generalError": "failed",
    "voided": "canceled",
}


def effects_of(partners: Partners) -> facts.Effects:
    """Payments, refunds, orders, RMAs, shipments and mails."""
    stripe, paypal, authorize_net = partners.gateway.books, partners.paypal.books, partners.authorize_net.books
    return facts.Effects(
        payment_intents=_intents(stripe),
        captures=(*_captures(stripe), *_paypal_captures(paypal), *_authorize_net_captures(authorize_net)),
        refunds=(*_refunds(stripe), *_paypal_refunds(paypal), *_authorize_net_refunds(authorize_net)),
        supplier_orders=tuple(partners.suppliers.orders()),
        rmas=tuple(partners.suppliers.rmas()),
        shipments=tuple(partners.shop.shipments()),
        stops=tuple(listing for listing in partners.shop.listings() if listing.state == "stopped"),
        mails=tuple(reversed(partners.mail.mails())),
    )


def _intents(books: PaymentBooks) -> tuple[facts.PaymentFact, ...]:
    return tuple(
        facts.PaymentFact(
            id=intent.id,
            account=intent.space or None,
            customer=intent.customer,
            status=intent.status,
            amount=as_decimal(intent.amount, intent.currency),
            amount_capturable=as_decimal(intent.amount_capturable, intent.currency),
            amount_received=as_decimal(intent.amount_received, intent.currency),
            currency=intent.currency.upper(),
            payment_method=intent.payment_method,
            metadata=intent.metadata,
            seeded=intent.seeded,
        )
        for intent in books.intents()
    )


def _captures(books: PaymentBooks) -> tuple[facts.CaptureFact, ...]:
    return tuple(
        facts.CaptureFact(
            payment_intent=intent.id,
            charge=intent.charge_id or "",
            account=intent.space or None,
            amount=as_decimal(intent.amount_received, intent.currency),
            currency=intent.currency.upper(),
        )
        for intent in books.intents()
        if intent.amount_received and not intent.seeded
    )


def _refunds(books: PaymentBooks) -> tuple[facts.RefundFact, ...]:
    return tuple(
        facts.RefundFact(
            id=refund.id,
            account=refund.space or None,
            payment_intent=refund.intent_id,
            charge=refund.charge_id,
            amount=as_decimal(refund.amount, refund.currency),
            currency=refund.currency.upper(),
            status=refund.status,
            failure_reason=refund.failure_reason,
            metadata=refund.metadata,
        )
        for refund in books.refunds()
    )


def _paypal_captures(books: PayPalBooks) -> tuple[facts.CaptureFact, ...]:
    return tuple(
        facts.CaptureFact(
            gateway="paypal",
            payment_intent=one.authorization_id or one.id,
            charge=one.id,
            account=one.space or None,
            amount=one.amount,
            currency=one.currency,
        )
        for one in books.captures()
        if not one.seeded
    )


def _paypal_refunds(books: PayPalBooks) -> tuple[facts.RefundFact, ...]:
    return tuple(
        facts.RefundFact(
            gateway="paypal",
            id=one.id,
            account=one.space or None,
            payment_intent=one.capture_id,
            charge=one.capture_id,
            amount=one.amount,
            currency=one.currency,
            status=_OF_PAYPAL[one.status],
            failure_reason="unknown" if one.status == "FAILED" else None,
            metadata={OUR_ID: one.invoice_id} if one.invoice_id else {},
        )
        for one in books.refunds()
    )


def _authorize_net_captures(books: AuthorizeNetBooks) -> tuple[facts.CaptureFact, ...]:
    taken = ("capturedPendingSettlement", "settledSuccessfully")
    return tuple(
        facts.CaptureFact(
            gateway="authorize_net",
            payment_intent=one.id,
            charge=one.id,
            account=one.space or None,
            amount=one.settle_amount,
            currency="USD",
        )
        for one in books.transactions()
        if one.status in taken and not one.seeded
    )


def _authorize_net_refunds(books: AuthorizeNetBooks) -> tuple[facts.RefundFact, ...]:
    """A payment that was voided after its capture gave all of it back."""
    refunds = []
    for one in books.transactions():
        is_refund = one.type == "refundTransaction"
        if not is_refund and not (one.status == "voided" and one.settle_amount > Decimal(0)):
            continue
        refunds.append(
            facts.RefundFact(
                gateway="authorize_net",
                id=one.id,
                account=one.space or None,
                payment_intent=one.ref_trans_id or one.id,
                charge=one.ref_trans_id or one.id,
                amount=one.settle_amount,
                currency="USD",
                status=_OF_AUTHORIZE_NET[one.status] if is_refund else "succeeded",
                failure_reason="unknown" if one.status == "generalError" else None,
                metadata={OUR_ID: one.description} if is_refund and one.description else {},
            )
        )
    return tuple(refunds)
