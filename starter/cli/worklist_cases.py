"""Which cases stand in worklists: from the database, and from the Temporal server while it answers (NTF-6)."""

from activities.database import Reading
from activities.database.views import WorkListed
from activities.worklists import count_work, find_work
from models.failures import PartnerUnavailable, RefusedByPartner
from models.worklists import WORKLISTS, Work
from starter.cli.output import remark
from starter.client.connection import connect


async def counted(reading: Reading) -> dict[Work, int]:
    """How many cases stand in each. People are told when the server does not answer."""
    try:
        return await count_work(await connect(), reading)
    except (PartnerUnavailable, RefusedByPartner) as error:
        remark(f"cases whose own code fails are not counted: {error}")
        return reading.count_work()


async def found_in(
    reading: Reading, work: Work, seller: str | None, limit: int, after: str | None
) -> list[WorkListed]:
    """A page of one of them; the server is asked only where it alone knows all. As `Reading.find_work`."""
    if WORKLISTS[work].or_where is not None:
        try:
            return await find_work(await connect(), reading, work, seller=seller, limit=limit, after=after)
        except (PartnerUnavailable, RefusedByPartner) as error:
            remark(f"cases whose own code fails are not listed: {error}")
    return reading.find_work(work, seller=seller, limit=limit, after=after)
