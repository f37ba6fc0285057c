"""The transactions of the sandbox's Authorize.Net, and what the night makes of them."""

import secrets
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from starter.sandbox.facts import PaymentSeed, RefundEnd
from starter.sandbox.store import Document, Store

SETTLES_AT: Final = time(8, 0)
"""When each day is settled, in UTC."""
AUTHORIZATION_LASTS: Final = timedelta(days=30)
REFUND_WINDOW: Final = timedelta(days=180)

Status = Literal[
    "authorizedPendingCapture",
    "capturedPendingSettlement",
    "settledSuccessfully",
    "refundPendingSettlement",
    "refundSettledSuccessfully",
    "voided",
    "declined",
    "expired",
    "FDSAuthorizedPendingReview",
    "generalError",
]


class Transaction(Document):
    """Its space is the login. `settle_amount`: what is, or will be, settled."""

    kind = "authorize_net_transaction"
    type: Literal["authOnlyTransaction", "authCaptureTransaction", "refundTransaction"]
    status: Status
    amount: Decimal
    settle_amount: Decimal = Decimal(0)
    ref_trans_id: str = ""
    invoice_number: str = ""
    description: str = ""
    customer_profile_id: str = ""
    payment_profile_id: str = ""
    last_four: str = "1111"
    submitted: int
    settles_from: int
    """Since when it may be settled: its capture, or its submission."""
    window_key: str = ""
    """What a duplicate has in common with it."""
    seeded: bool = False

    @property
    def owner(self) -> str:
        return self.ref_trans_id


class AuthorizeNetBooks:
    """Of all logins. What was seeded without an account belongs to whoever asks."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def seed(self, seed: PaymentSeed) -> Transaction:
        """A buyer's payment of now, captured elsewhere; tonight it is settled. `customer`: the profile by which it
        was paid. The same seed twice changes nothing. Raises ValueError for an id that is no number."""
        if not seed.id.isdecimal():
            raise ValueError("the id of a transaction at Authorize.Net is a number")
        now = self.store.timestamp()
        one = Transaction(
            id=seed.id,
            space=seed.account or "",
            type="authCaptureTransaction",
            status="capturedPendingSettlement",
            amount=seed.amount,
            settle_amount=seed.amount,
            customer_profile_id=seed.customer or "",
            submitted=now,
            settles_from=now,
            seeded=True,
        )
        known = self.store.get(Transaction, one.id, one.space)
        if known is not None:
            if known.amount != one.amount:
                raise ValueError(f"{seed.id} is taken by another payment")
            return known
        self.store.put(one)
        return one

    def settle(self, id: str, end: RefundEnd) -> Transaction | None:
        """End a refund, by its number or its invoice number. None: no such refund."""
        found = (one for one in self.transactions() if one.type == "refundTransaction")
        refund = next((one for one in found if id in (one.id, one.invoice_number)), None)
        if refund is None:
            return None
        status: Status = "refundSettledSuccessfully" if end.status == "succeeded" else "generalError"
        refund = refund.model_copy(update={"status": status})
        self.store.put(refund)
        return refund

    def transactions(self, login: str | None = None) -> list[Transaction]:
        """As they are now, oldest first; those that a login sees."""
        found = [self.aged(one) for one in self.store.find(Transaction)]
        return found if login is None else [one for one in found if one.space in ("", login)]

    def get(self, id: str, login: str) -> Transaction | None:
        one = self.store.get(Transaction, id, login) or self.store.get(Transaction, id, "")
        return None if one is None else self.aged(one)

    def aged(self, one: Transaction) -> Transaction:
        """The night settles what was captured or refunded before it; an authorization lapses."""
        now = self.store.timestamp()
        settled: dict[Status, Status] = {
            "capturedPendingSettlement": "settledSuccessfully",
            "refundPendingSettlement": "refundSettledSuccessfully",
        }
        if one.status in settled and now >= settlement_after(one.settles_from):
            return self._with(one, settled[one.status])
        lapses = one.submitted + int(AUTHORIZATION_LASTS.total_seconds())
        if one.status == "authorizedPendingCapture" and now >= lapses:
            return self._with(one, "expired")
        return one

    def _with(self, one: Transaction, status: Status) -> Transaction:
        after = one.model_copy(update={"status": status})
        self.store.put(after)
        return after

    def refunded(self, one: Transaction) -> Decimal:
        """Of this transaction, as far as it was not given up."""
        counted = ("refundPendingSettlement", "refundSettledSuccessfully")
        refunds = self.store.find(Transaction, owner=one.id)
        return sum((refund.settle_amount for refund in refunds if self.aged(refund).status in counted), Decimal(0))


def settlement_after(timestamp: int) -> int:
    """The first settlement after a moment; both in seconds since 1970."""
    moment = datetime.fromtimestamp(timestamp, UTC)
    tonight = datetime.combine(moment.date(), SETTLES_AT, UTC)
    return int((tonight if tonight > moment else tonight + timedelta(days=1)).timestamp())


def new_id() -> str:
    """`60198765432`: eleven digits."""
    return str(60_000_000_000 + secrets.randbelow(9_999_999_999))


def moment(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat().replace("+00:00", "Z")


def _local(timestamp: int) -> str:
    return moment(timestamp).removesuffix("Z")


def is_settled(one: Transaction) -> bool:
    return one.status in ("settledSuccessfully", "refundSettledSuccessfully")


def batch_json(settled_at: int) -> dict[str, Any]:
    return {
        "batchId": str(settled_at),
        "settlementTimeUTC": moment(settled_at),
        "settlementTimeLocal": _local(settled_at),
        "settlementState": "settledSuccessfully",
    }


def details_json(one: Transaction) -> dict[str, Any]:
    """As `getTransactionDetailsResponse` shows it, in the order of the schema."""
    found: dict[str, Any] = {"transId": one.id}
    if one.ref_trans_id:
        found["refTransId"] = one.ref_trans_id
    found |= {
        "submitTimeUTC": moment(one.submitted),
        "submitTimeLocal": _local(one.submitted),
        "transactionType": one.type,
        "transactionStatus": one.status,
        "responseCode": 2 if one.status == "declined" else 4 if one.status.startswith("FDS") else 1,
        "responseReasonCode": 1,
        "responseReasonDescription": "Approval",
        "AVSResponse": "P",
    }
    if is_settled(one):
        found["batch"] = batch_json(settlement_after(one.settles_from))
    if one.invoice_number:
        found["order"] = {"invoiceNumber": one.invoice_number, "description": one.description}
    found |= {
        "authAmount": f"{one.amount:.2f}",
        "settleAmount": f"{one.settle_amount:.2f}",
        "taxExempt": False,
        "payment": {
            "creditCard": {
                "cardNumber": f"XXXX{one.last_four}",
                "expirationDate": "XXXX",
                "cardType": "Visa",
            }
        },
        "recurringBilling": False,
        "product": "Card Not Present",
        "marketType": "eCommerce",
    }
    if one.customer_profile_id:
        found["profile"] = {"customerProfileId": one.customer_profile_id}
    return found


def summary_json(one: Transaction) -> dict[str, Any]:
    """As lists show it, in the order of the schema."""
    found: dict[str, Any] = {
        "transId": one.id,
        "submitTimeUTC": moment(one.submitted),
        "submitTimeLocal": _local(one.submitted),
        "transactionStatus": one.status,
    }
    if one.invoice_number:
        found["invoiceNumber"] = one.invoice_number
    found |= {
        "accountType": "Visa",
        "accountNumber": f"XXXX{one.last_four}",
        "settleAmount": f"{one.settle_amount:.2f}",
        "marketType": "eCommerce",
        "product": "Card Not Present",
    }
    if one.customer_profile_id:
        found["profile"] = {"customerProfileId": one.customer_profile_id}
    return found
