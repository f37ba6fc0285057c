"""A process that reserves refunds of one order: `python -m tests.races.reserving_process ORDER NAME TIMES`.

The database's URL is in BACKHAUL_DATABASE_URL. It says `ready`, waits for a line, and says how many it got.
"""

import os
import sys
from datetime import UTC, datetime

from temporalio.exceptions import ApplicationError

from activities.database import Database
from activities.database.engines import make_engine
from models.failures import Category
from models.ids import refund_workflow_id
from models.records import Opening, ReservedRefund, ReserveRefund
from models.refunds import RefundRequest

EACH = "9.00"


def main(order_id: str, name: str, times: int) -> None:
    engine = make_engine(os.environ["BACKHAUL_DATABASE_URL"])
    books = Database(engine)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    got = 0
    for number in range(times):
        refund_id = f"RF-{order_id}-{name}-{number}"
        request = RefundRequest.model_validate(
            {
                "refund_id": refund_id,
                "order_id": order_id,
                "amount": EACH,
                "currency": "USD",
                "reason": "goodwill",
                "requested_by": f"seller:{name}",
            }
        )
        ask = ReserveRefund(
            request=request, workflow_id=refund_workflow_id(refund_id), run_id=name, at=datetime.now(UTC)
        )
        got += _patiently(books, ask).opening is Opening.OPENED
    sys.stdout.write(f"{got}\n")
    engine.dispose()


def _patiently(books: Database, ask: ReserveRefund) -> ReservedRefund:
    """As the server lets an activity be tried again while the database is busy."""
    while True:
        try:
            return books.reserve_refund(ask)
        except ApplicationError as error:
            if error.type != Category.PARTNER_UNAVAILABLE.value:
                raise


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
