"""Entries of the queue to Amazon that are in the document of a batch, or were put out of it (AMZ-7, AMZ-8)."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from models.tables import AmazonBatchRow, AmazonQueueRow


def batch_entries(session: Session, batch_id: str) -> Sequence[AmazonQueueRow]:
    """Those in its document, in the order of its messages; without what was put out of it (AMZ-8)."""
    in_document = col(AmazonQueueRow.message_id) <= col(AmazonBatchRow.messages)
    rows = (
        select(AmazonQueueRow)
        .join(AmazonBatchRow, col(AmazonBatchRow.batch_id) == col(AmazonQueueRow.batch_id))
        .where(AmazonQueueRow.batch_id == batch_id, in_document)
    )
    return session.exec(rows.order_by(col(AmazonQueueRow.message_id))).all()


def locked_entries(session: Session, batch: AmazonBatchRow) -> list[AmazonQueueRow]:
    """The same, read anew. They are locked as settlements lock them, so that nothing that one says is lost."""
    rows = select(AmazonQueueRow).where(
        AmazonQueueRow.batch_id == batch.batch_id, col(AmazonQueueRow.message_id) <= batch.messages
    )
    locked = rows.order_by(col(AmazonQueueRow.entry_id)).with_for_update()
    found = session.exec(locked, execution_options={"populate_existing": True})
    return sorted(found, key=lambda row: row.message_id or 0)


def put_out_of(session: Session, batch: AmazonBatchRow) -> tuple[AmazonQueueRow, ...]:
    """Those that were put out of its document, as they stand."""
    rows = select(AmazonQueueRow).where(
        AmazonQueueRow.batch_id == batch.batch_id, col(AmazonQueueRow.message_id) > batch.messages
    )
    return tuple(session.exec(rows.order_by(col(AmazonQueueRow.message_id))))
