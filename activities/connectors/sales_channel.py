"""What every shop or marketplace does for us, whatever its protocol; an outage raises as in
`activities.connectors.http`."""

from typing import Protocol

from models.partners import AnnounceTracking, StopShipping


class SalesChannel(Protocol):
    """One connection to a seller's shop, or to one that stands for many sellers."""

    async def announce(self, ask: AnnounceTracking) -> None:
        """Give it a shipment's tracking number, as if the seller had typed it (ORD-9)."""
        ...

    async def stop_shipping(self, ask: StopShipping) -> None:
        """Take a cancelled or voided order off the shipping list, for ever (CAN-11)."""
        ...

    async def test(self) -> None:
        """Call it, changing nothing. Raises a BackhaulError that says in words what is wrong."""
        ...
