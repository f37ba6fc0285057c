"""A label was replaced after the end of its order: shop and seller get the new number all the same (ORD-20)."""

import asyncio
from contextlib import suppress

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from models import calls, contract
    from models.alerts import AlertTopic
    from models.case import Answer
    from models.failures import BackhaulError
    from models.ids import order_workflow_id
    from models.partners import AnnounceTracking, Mail, MailLine, Recipient
    from models.records import NoteCorrection
    from workflows.engine.calls import Setback, ask
    from workflows.engine.mail import deliver
    from workflows.engine.procedure import CouldNot


@workflow.defn(name=contract.CORRECTION)
class Correction:
    """One new number of one parcel: the database has it, then the shop (and so the buyer), then the seller."""

    def __init__(self) -> None:
        self.told_staff: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, request: NoteCorrection) -> Answer:
        """Takes the event as it was sent; gives what its sender is told."""
        event = request.event
        try:
            contract.ORDER_KIND.require_sender("shipment_corrected", event)
        except BackhaulError as error:
            return Answer(accepted=False, stage="refused", message=str(error))
        self.order_id = request.order_id
        summary = f"Write down the new number of shipment {event.shipment_id}"
        noted = await ask(calls.NOTE_CORRECTION, request, summary, seller_id="", troubled=self._troubled)
        if noted.announcement is not None:
            await self._announce(noted.announcement)
        if self.told_staff is not None:
            await self.told_staff
        duplicate = noted.state == "known"
        return Answer(
            accepted=noted.state != "refused", duplicate=duplicate, stage=noted.state, message=noted.message
        )

    async def _announce(self, new: AnnounceTracking) -> None:
        summary = f"Give the shop the new number of shipment {new.shipment_id}"
        await ask(calls.ANNOUNCE_TRACKING, new, summary, seller_id=new.seller_id, troubled=self._troubled)
        mail = Mail(
            # As the order itself counts them.
            key=f"{order_workflow_id(new.order_id)}:shipped-{new.shipment_id}-{new.correction + 1}",
            template="tracking_corrected",
            to=Recipient.SELLER,
            order_id=new.order_id,
            seller_id=new.seller_id,
            facts={"carrier": new.carrier, "tracking_number": new.tracking_number},
            lines=tuple(MailLine(sku=line.sku, quantity=line.quantity) for line in new.lines),
        )
        try:
            await deliver(mail, "E-mail seller: tracking corrected")
        except CouldNot as why:
            what = f"the e-mail to the seller (tracking corrected) did not arrive: {why}; tell it another way"
            await self._tell_staff(what, "undelivered")

    def _troubled(self, setback: Setback) -> None:
        """NTF-9: staff are told once that it does not go on; it is tried again."""
        if setback.alert and self.told_staff is None:
            what = f"a parcel's new number is not announced yet ({setback.reason}); it is tried again"
            self.told_staff = asyncio.create_task(self._tell_staff(what, "trouble", setback.topic))

    async def _tell_staff(self, what: str, key: str, topic: AlertTopic | None = None) -> None:
        case = workflow.info().workflow_id
        facts = {"what": what, "who_acts": "staff", "case": case, "since": workflow.now().isoformat()}
        mail = Mail(
            key=f"{case}:alert-{key}",
            template="staff_alert",
            to=Recipient.STAFF,
            order_id=self.order_id,
            facts=facts,
            topic=topic,
        )
        with suppress(CouldNot):
            await deliver(mail, "E-mail staff: staff alert")
