"""A settlement against the books as one HTML page that needs nothing from elsewhere (AMZ-8)."""

from models.amazon.settlements import SettlementReconciled
from starter.report_page.page import templates


def settlement_page(found: SettlementReconciled) -> str:
    return templates().get_template("settlement.html").render(one=found)
