"""What `return find` does: show the returns that have a number."""

from models.failures import NotFound
from starter.cli.case_lookup import books
from starter.cli.output import show_table


def show_returns(number: str) -> None:
    """Raises NotFound."""
    with books() as reading:
        found = reading.find_return(number)
    if not found:
        raise NotFound(f"no return has the number {number}")
    show_table(
        ("return", "order", "stage", "supplier", "RMA", "waiting for"),
        (
            (
                row.return_id,
                row.order_id,
                row.standing.stage if row.standing else "opening",
                row.supplier_id,
                row.rma_number,
                row.standing.waiting_for if row.standing else None,
            )
            for row in found
        ),
    )
