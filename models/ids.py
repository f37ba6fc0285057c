"""Business ids and the workflow ids made of them, with their inverse.

Ids carry no names, e-mails or addresses: they are visible in the Temporal UI, in logs and in metrics.
"""

from hashlib import sha256
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator

from models.forms import written_as

MOST_CHARACTERS: Final = 100
"""Of a `CaseId`."""


def _form(most: int) -> str:
    return f"[A-Za-z0-9][A-Za-z0-9._-]{{0,{most - 1}}}"


def _id_of(most: int) -> AfterValidator:
    words = f"is an id: letters from A to Z, digits, and . _ - after the first, {most} characters at most"
    return written_as(_form(most), words)


ID_FORM: Final = _form(MOST_CHARACTERS)

CaseId = Annotated[str, _id_of(MOST_CHARACTERS)]
"""An id of ours or of a partner that becomes part of a workflow id or a search attribute."""

ReturnId = Annotated[str, _id_of(130)]
"""The id of a return: room for one that is derived from the longest order id."""

_MOST_DERIVED: Final = 160

DerivedId = Annotated[str, _id_of(_MOST_DERIVED)]
"""The id of a refund or a charge: room for one that is derived from the longest return id."""

LineId = Annotated[str, _id_of(110)]
"""The id of a line in its order: room for one that is derived from the longest id of a kit."""

_REPLACEMENT: Final = "RP."
_SPLIT: Final = "SP."

KindName = Literal["order", "return", "refund", "orphan", "cost-review", "claim", "batch", "report-import"]
_KINDS: tuple[KindName, ...] = get_args(KindName)


def order_workflow_id(order_id: str) -> str:
    """`1001` -> `order-1001`."""
    return f"order-{order_id}"


def return_workflow_id(return_id: str) -> str:
    """`RR-1001-1` -> `return-RR-1001-1`."""
    return f"return-{return_id}"


def refund_workflow_id(refund_id: str) -> str:
    """`RF-1001-1` -> `refund-RF-1001-1`."""
    return f"refund-{refund_id}"


def orphan_workflow_id(orphan_id: str) -> str:
    """`ebay-5f3c` -> `orphan-ebay-5f3c`."""
    return f"orphan-{orphan_id}"


def cost_review_workflow_id(review_id: str) -> str:
    """`CR-1001-1` -> `cost-review-CR-1001-1`."""
    return f"cost-review-{review_id}"


def cost_review_id(order_id: str, ordinal: int) -> str:
    """The n-th supplier-cost review of an order (BAL-2)."""
    return f"CR-{order_id}-{ordinal}"


def claim_workflow_id(claim_id: str) -> str:
    """`CL-1001-1` -> `claim-CL-1001-1`."""
    return f"claim-{claim_id}"


def claim_id(order_id: str, ordinal: int) -> str:
    """The n-th claim of an order (CLM-1)."""
    return f"CL-{order_id}-{ordinal}"


def cancellation_entry_id(order_id: str) -> str:
    """The cancellation of an order in the queue to its marketplace: `CX-1001`."""
    return f"CX-{order_id}"


def batch_workflow_id(batch_id: str) -> str:
    """`B-acme-amazon-R-20260301T120000` -> `batch-B-acme-amazon-R-20260301T120000`."""
    return f"batch-{batch_id}"


def correction_workflow_id(order_id: str, event_id: str) -> str:
    """A new number of a parcel of an order that has ended; the same event is the same one."""
    return f"correction-{order_id}-{sha256(event_id.encode()).hexdigest()[:12]}"


def case_of(workflow_id: str) -> tuple[KindName, str]:
    """The inverse of those above: `order-1001` -> `("order", "1001")`.

    Raises ValueError for an id that is none of ours.
    """
    for kind in _KINDS:
        if workflow_id.startswith(f"{kind}-") and len(workflow_id) > len(kind) + 1:
            return kind, workflow_id[len(kind) + 1 :]
    raise ValueError(
        f"{workflow_id!r} is not the workflow id of an order, a return, a refund, an orphan, a cost review, "
        "a claim, a batch or the import of a report"
    )


def charge_id(order_id: str, attempt: int) -> str:
    """The broker's charge on the seller's payment method; a new attempt for each payment method (ORD-3)."""
    return f"CH-{order_id}-{attempt}"


def supplier_order_number(order_id: str, ordinal: int) -> str:
    """The number of the order that the broker sends to a supplier; also the RMA number of RET-7."""
    return f"{order_id}-{ordinal}"


def return_id(order_id: str, ordinal: int) -> str:
    """The number of a return request (RR)."""
    return f"RR-{order_id}-{ordinal}"


def sibling_return_id(first_return_id: str, ordinal: int) -> str:
    """The return of another supplier, split off the first one (RET-2); the first split has ordinal 2."""
    return f"{first_return_id}.{ordinal}"


def late_cancel_return_id(order_id: str) -> str:
    """The return that a cancel after the window becomes once the order has shipped (CAN-2)."""
    return f"RR-{order_id}-late-cancel"


def order_refund_id(order_id: str, whom: Literal["buyer", "seller"], ordinal: int) -> str:
    """A refund that an order makes by itself, when it is cancelled or voided: `RF-1001-OS1` (REF-6).

    The last part tells refunds of orders (`OB`, `OS`, and `D` for direct ones) from those of returns (`B`, `S`):
    they can never meet, whatever numbers people give to orders and returns.
    """
    return f"RF-{order_id}-O{whom[0].upper()}{ordinal}"


def return_refund_id(return_id: str, whom: Literal["buyer", "seller"], ordinal: int) -> str:
    """The n-th refund of the buyer, or of the seller, that a return asks for: `RF-RR-1001-1-B1` (REF-6)."""
    return f"RF-{return_id}-{whom[0].upper()}{ordinal}"


def direct_refund_id(order_id: str, ordinal: int) -> str:
    """A refund of the buyer without a return, asked for by a person (REF-2): never a number of the case's own."""
    return f"RF-{order_id}-D{ordinal}"


def refund_part_id(refund_id: str, number: int) -> str:
    """One part of a refund that no single payment could carry: `RF-1001-D1P2`, whoever asked (REF-3, REF-6).

    What would be longer than ids of refunds are is named by its hash.
    """
    plain = f"{refund_id}P{number}"
    return plain if len(plain) <= _MOST_DERIVED else f"RF-{sha256(refund_id.encode()).hexdigest()[:32]}P{number}"


def component_line_id(kit_line_id: str, ordinal: int) -> str:
    """The n-th component of a kit (ORD-14): `2` -> `2.1`."""
    return f"{kit_line_id}.{ordinal}"


def replacement_order_id(return_id: str) -> str:
    """The order that replaces what a return is about: `RR-1001-1` -> `RP.RR-1001-1` (RET-24).

    No other order has an id that begins so. What would be longer than ids of orders are is named by its hash.
    """
    plain = f"{_REPLACEMENT}{return_id}"
    if len(plain) <= MOST_CHARACTERS:
        return plain
    return f"{_REPLACEMENT}.{sha256(return_id.encode()).hexdigest()[:40]}"


def is_replacement_order(order_id: str) -> bool:
    """Whether the id is kept for replacements."""
    return order_id.startswith(_REPLACEMENT)


def split_order_id(order_id: str, ordinal: int) -> str:
    """The n-th order that is split off this one: `1001` -> `SP.1001.1` (CAN-10).

    No other order has an id that begins so. What would be longer than ids of orders are is named by its hash.
    """
    plain = f"{_SPLIT}{order_id}.{ordinal}"
    if len(plain) <= MOST_CHARACTERS:
        return plain
    return f"{_SPLIT}.{sha256(order_id.encode()).hexdigest()[:40]}.{ordinal}"


def is_split_order(order_id: str) -> bool:
    """Whether the id is kept for orders that are split off."""
    return order_id.startswith(_SPLIT)


def split_of(split_id: str) -> tuple[str, int]:
    """The inverse of `split_order_id`: `SP.1001.1` -> `("1001", 1)`.

    Raises ValueError for an id that is none, or that says only the hash of the order's.
    """
    order_id, dot, ordinal = split_id.removeprefix(_SPLIT).rpartition(".")
    if not is_split_order(split_id) or not dot or order_id.startswith(".") or not ordinal.isdecimal():
        raise ValueError(f"{split_id!r} does not say from which order it was split off")
    return order_id, int(ordinal)


def broker_return_number(return_id: str) -> str:
    """The matching return in the seller's account at the broker (RET-6)."""
    return f"BR-{return_id}"
