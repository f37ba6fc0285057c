"""Lists of cases, and the refunds of an order, from the database."""

from collections.abc import Sequence

from activities.database.views import OrderRefunds, RefundListed, RefundTotals, Standing
from models.message import Message
from models.refunds import RefundState
from starter.cli.case_filter import Filter
from starter.cli.case_lookup import books
from starter.cli.output import money, remark, say, show_json, show_table


def list_orders(wanted: Filter, as_json: bool) -> None:
    with books() as reading:
        orders = reading.find_orders(**wanted.as_arguments())
    _list(
        wanted,
        as_json,
        orders,
        ("order", "seller", "channel", "paid"),
        [
            ((row.order_id, row.seller_id, row.channel, money(row.paid, row.currency)), row.standing)
            for row in orders
        ],
    )


def list_returns(wanted: Filter, as_json: bool) -> None:
    with books() as reading:
        returns = reading.find_returns(**wanted.as_arguments())
    _list(
        wanted,
        as_json,
        returns,
        ("return", "order", "seller", "supplier", "RMA"),
        [
            ((row.return_id, row.order_id, row.seller_id, row.supplier_id, row.rma_number), row.standing)
            for row in returns
        ],
    )


def list_refunds(wanted: Filter, as_json: bool) -> None:
    with books() as reading:
        refunds = reading.find_refunds(**wanted.as_arguments())
    _list(
        wanted,
        as_json,
        refunds,
        ("refund", "order", "seller", "amount", "to", "state"),
        [
            (
                (
                    row.refund_id,
                    row.order_id,
                    row.seller_id,
                    money(row.amount, row.currency),
                    row.direction.value.rpartition("_")[2],
                    row.state,
                ),
                row.standing,
            )
            for row in refunds
        ],
    )


def _list(
    wanted: Filter,
    as_json: bool,
    listed: Sequence[Message],
    columns: tuple[str, ...],
    rows: Sequence[tuple[tuple[object, ...], Standing | None]],
) -> None:
    if as_json:
        show_json(listed)
        return
    if not rows:
        say("nothing found")
        return
    show_table(
        (*columns, "stage", "waiting on", "for", "due (UTC)", "SLA"),
        ((*cells, *_standing(standing)) for cells, standing in rows),
    )
    last = rows[-1][1]
    if len(rows) == wanted.limit and last is not None:
        remark(f"there may be more: --after {last.cursor}")


def _standing(standing: Standing | None) -> tuple[object, ...]:
    if standing is None:
        return ("opening", None, None, None, None)
    sla = None if standing.ended else standing.sla_state.value.replace("_", " ")
    stages = ", ".join((standing.stage, *standing.also_at))
    return (stages, standing.waiting_on, standing.waiting_for, standing.due_by, sla)


def refunds_of(order: str, as_json: bool) -> None:
    """An order's refunds; they add up (REF-10). Raises NotFound."""
    with books() as reading:
        found = reading.refunds_of(order)
    if as_json:
        show_json(found)
        return
    _show_refunds(found)


def _asked_and_confirmed(refund: RefundListed) -> str:
    """Who asked, and over the seller's limit who confirmed (REF-12)."""
    if refund.confirmed_by is not None:
        return f"{refund.requested_by}, confirmed by {refund.confirmed_by}"
    to_confirm = refund.over_limit is not None and refund.state is RefundState.RESERVED
    return f"{refund.requested_by}, to be confirmed" if to_confirm else refund.requested_by


def _show_refunds(found: OrderRefunds) -> None:
    if found.refunds:
        show_table(
            ("refund", "amount", "from, to", "way", "state", "reason", "who", "when (UTC)"),
            (
                (
                    refund.refund_id,
                    money(refund.amount, refund.currency),
                    refund.direction.value.replace("_", " "),
                    refund.way,
                    f"{refund.state} (over-refund)" if refund.over_refund else refund.state,
                    refund.reason,
                    _asked_and_confirmed(refund),
                    refund.reserved_at,
                )
                for refund in found.refunds
            ),
            right=("amount",),
        )
        say("")
    else:
        say(f"order {found.order_id} has no refunds")
    say(_totals("buyer", found.buyer))
    say(_totals("seller", found.seller))


def _totals(who: str, totals: RefundTotals) -> str:
    return (
        f"{who}: paid {money(totals.paid, totals.currency)}, refunded {money(totals.refunded, totals.currency)}, "
        f"pending {money(totals.pending, totals.currency)}, "
        f"still refundable {money(totals.left, totals.currency)}"
    )
