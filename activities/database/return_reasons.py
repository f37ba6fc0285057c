"""Whether the reasons of a return request may be used (RET-21)."""

from models.parties import Seller
from models.reasons import require_usable
from models.returns import ASKED_HERE, ReturnRequest


def why_unusable(request: ReturnRequest, seller: Seller) -> str | None:
    """Of which line the reason is not in use any more, or lacks what must come with it; none: all may be used.

    What a marketplace opened is taken as it is.
    """
    if request.source not in ASKED_HERE:
        return None
    for line in request.lines:
        try:
            require_usable(line, seller.reasons, note=request.note)
        except ValueError as error:
            return f"{line.name}: {error}"
    return None
