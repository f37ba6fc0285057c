"""Claims in the database: each voided unit is claimed once, each claim is credited once (BAL-1, CLM-1)."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

from sqlmodel import Session, col, select

from activities.database import view_rows
from activities.database.case_numbers import add_numbers
from activities.database.cases import open_case, write_case
from activities.database.claim_views import ClaimListed
from activities.database.ledger import post
from activities.database.ledger_facts import claim_credited
from activities.database.lists import Page, of_page
from activities.database.order_lines import OrderedLine, order_lines
from models.case import ClaimStage
from models.claims import ClaimRequest, ClaimState, OpenClaim, OpenedClaim, SaveClaim
from models.failures import Conflict, NotFound
from models.ledger import claim_entries
from models.message import LineUnits
from models.naming import units_named
from models.records import Saved
from models.tables import CaseRow, ClaimRow, OrderRow, SellerRow


def open_claim(session: Session, ask: OpenClaim) -> OpenedClaim:
    """Write it down once, if its units were voided and no other claim has them. `reason`: why not."""
    request = ask.request
    # The order's row is the lock: two claims of one order are checked one after the other.
    order = session.exec(select(OrderRow).where(OrderRow.order_id == request.order_id).with_for_update()).first()
    if order is None:
        return OpenedClaim(reason=f"no order {request.order_id}")
    row = session.get(ClaimRow, request.claim_id)
    if row is not None and (row.run_id != ask.run_id or row.order_id != request.order_id):
        return OpenedClaim(reason=f"claim {request.claim_id} exists already")
    if row is None:
        try:
            units = _units(session, request, order)
        except ValueError as why:
            return OpenedClaim(reason=str(why))
        row = _row(ask, order, units)
        session.add(row)
        session.flush()
        stage = ClaimStage.AWAITING_DECISION
        open_case(session, ask.workflow_id, ask.run_id, stage, order.seller_id, order.order_id, ask.at)
    others = _standing(session, order.order_id, but=row)
    seller = session.get(SellerRow, order.seller_id)
    settings = seller.settings if seller is not None else order.seller
    return OpenedClaim(
        seller_id=order.seller_id,
        units=tuple(LineUnits.model_validate(one) for one in row.units),
        minimum_stock=settings.minimum_stock,
        card_on_file=settings.payment_method is not None,
        without_approval=settings.claim_without_approval,
        claimed_before=sum((one.approved or one.amount for one in others), Decimal(0)),
        least_stock=settings.claim_minimum_stock,
        claim_days=settings.claim_days,
        claim_reminder_days=settings.claim_reminder_days,
    )


def save_claim(session: Session, ask: SaveClaim) -> Saved:
    """Where it stands; what is approved is credited in the same transaction, once (BAL-1).

    Raises NotFound for a claim that is not there, Conflict for one of another case.
    """
    # Before its claim, as everywhere: the order stays locked.
    session.exec(
        select(OrderRow.order_id).where(OrderRow.order_id == ask.record.order_id).with_for_update()
    ).first()
    row = session.get(ClaimRow, ask.claim_id)
    if row is None:
        raise NotFound(f"no claim {ask.claim_id} in the database")
    if row.workflow_id != ask.record.workflow_id:
        raise Conflict(f"claim {ask.claim_id} is another case's")
    is_newest = write_case(session, ask.record)
    add_numbers(session, ask.record.workflow_id, ask.record.numbers)
    if not is_newest or row.state is not ClaimState.OPEN:
        return Saved(is_newest=is_newest)
    row.receipts = [one.model_dump(mode="json", exclude_none=True) for one in ask.receipts]
    if ask.state is not ClaimState.OPEN:
        row.state, row.approved, row.settled_at = ask.state, ask.approved, ask.at
        row.decided_by, row.reason = ask.decided_by, ask.reason
    session.add(row)
    session.flush()
    if row.approved is not None:
        post(session, claim_entries(claim_credited(row)))
    return Saved()


def claimed_units(session: Session, order_id: str) -> Counter[str]:
    """Units by `line_id` that claims have which are approved or still open."""
    taken = Counter[str]()
    for other in _standing(session, order_id):
        for known in other.units:
            taken[known["line_id"]] += known["quantity"]
    return taken


def _units(session: Session, request: ClaimRequest, order: OrderRow) -> tuple[LineUnits, ...]:
    """The units that are meant. Raises ValueError that says why they can't be claimed."""
    if request.seller_id != order.seller_id:
        raise ValueError(f"order {order.order_id} is not of seller {request.seller_id}")
    if request.currency != order.charge_currency:
        raise ValueError(f"the seller is charged in {order.charge_currency}, the claim is in {request.currency}")
    lines = order_lines(session, order.order_id)
    taken = claimed_units(session, order.order_id)
    left = {line_id: row.voided - taken[line_id] for line_id, row in lines.items()}
    try:
        meant = units_named(request.lines, [OrderedLine.of(row) for row in lines.values()], left=left)
    except ValueError as error:
        raise ValueError(f"order {order.order_id}: {error}") from None
    for one in meant:
        row = lines[one.line_id]
        if one.quantity > left[one.line_id]:
            raise ValueError(
                f"{one.quantity} of {one.sku} can't be claimed: {row.voided} of {row.quantity} voided, "
                f"{taken[one.line_id]} claimed already (CLM-1)"
            )
    return meant


def _standing(session: Session, order_id: str, but: ClaimRow | None = None) -> list[ClaimRow]:
    """The order's claims that are approved or still open."""
    rows = (
        select(ClaimRow, CaseRow.ended)
        .join(CaseRow, col(CaseRow.workflow_id) == col(ClaimRow.workflow_id))
        .where(ClaimRow.order_id == order_id)
    )
    return [
        row
        for row, has_ended in session.exec(rows)
        if row is not but
        and (row.state is ClaimState.APPROVED or (row.state is ClaimState.OPEN and not has_ended))
    ]


def _row(ask: OpenClaim, order: OrderRow, units: Sequence[LineUnits]) -> ClaimRow:
    request = ask.request
    receipt = request.receipt
    return ClaimRow(
        claim_id=request.claim_id,
        workflow_id=ask.workflow_id,
        run_id=ask.run_id,
        order_id=order.order_id,
        seller_id=order.seller_id,
        units=[one.model_dump(mode="json") for one in units],
        amount=request.amount,
        currency=request.currency,
        state=ClaimState.OPEN,
        dealer=request.dealer,
        notes=request.notes,
        requested_by=request.requested_by,
        receipts=[receipt.model_dump(mode="json", exclude_none=True)] if receipt is not None else [],
        requested_at=ask.at,
    )


def claims(session: Session, page: Page, *, ended: bool) -> list[ClaimListed]:
    """What is open first; without `ended`, that alone."""
    rows = select(ClaimRow, CaseRow).join(CaseRow, col(CaseRow.workflow_id) == col(ClaimRow.workflow_id))
    if not ended:
        rows = rows.where(col(CaseRow.ended).is_(False))
    return [_listed(row, case) for row, case in session.execute(of_page(rows, "claim", page))]


def claim(session: Session, claim_id: str) -> ClaimListed:
    """One claim. Raises NotFound."""
    row = session.get(ClaimRow, claim_id)
    if row is None:
        raise NotFound(f"no claim {claim_id} in the database")
    return _listed(row, session.get(CaseRow, row.workflow_id))


def _listed(row: ClaimRow, case: CaseRow | None) -> ClaimListed:
    known = {name: getattr(row, name) for name in ClaimListed.model_fields if name != "standing"}
    return ClaimListed(**known, standing=view_rows.standing(case))
