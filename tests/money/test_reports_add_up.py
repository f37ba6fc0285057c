"""The sums of a report's rows are its totals, currency by currency (BAL-1, RET-13)."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.money import from_minor_units
from models.reports import (
    MoneyOfSeller,
    MoneyOfSupplier,
    MoneyReport,
    Promise,
    PromisesOf,
    SellerMoney,
    SlaReport,
    SupplierMoney,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD"])
UNITS = st.integers(min_value=-(10**12), max_value=10**12)
IDS = st.sampled_from([f"s{number}" for number in range(1000)])


@st.composite
def of_sellers(draw: st.DrawFn) -> MoneyOfSeller:
    currency = draw(CURRENCIES)
    amounts = {name: from_minor_units(draw(UNITS), currency) for name in MoneyOfSeller.amounts()}
    return MoneyOfSeller(seller_id=draw(IDS), currency=currency, **amounts)


@st.composite
def of_suppliers(draw: st.DrawFn) -> MoneyOfSupplier:
    currency = draw(CURRENCIES)
    amounts = {name: from_minor_units(draw(UNITS), currency) for name in MoneyOfSupplier.amounts()}
    return MoneyOfSupplier(supplier_id=draw(IDS), currency=currency, **amounts)


PROMISES = st.builds(
    PromisesOf,
    promise=st.sampled_from(Promise),
    supplier_id=st.none() | IDS,
    seller_id=IDS,
    due=st.integers(0, 50),
    at_risk=st.integers(0, 50),
    breached=st.integers(0, 50),
    next_due=st.none() | st.just(NOW),
)


@given(st.lists(of_sellers(), max_size=30), st.lists(of_suppliers(), max_size=30))
def test_BAL_1_totals_are_the_sums_of_the_rows_of_one_currency(
    sellers: list[MoneyOfSeller], suppliers: list[MoneyOfSupplier]
) -> None:
    report = MoneyReport.of(NOW, (None, None), sellers, suppliers)
    assert [one.currency for one in report.seller_totals] == sorted({one.currency for one in sellers})
    assert [one.currency for one in report.supplier_totals] == sorted({one.currency for one in suppliers})
    for total in report.seller_totals:
        _is_sum_of(total, [row for row in sellers if row.currency == total.currency])
    for credit in report.supplier_totals:
        _is_sum_of(credit, [row for row in suppliers if row.currency == credit.currency])


def _is_sum_of(total: SellerMoney | SupplierMoney, rows: Sequence[SellerMoney | SupplierMoney]) -> None:
    for name in total.amounts():
        assert getattr(total, name) == sum((getattr(row, name) for row in rows), Decimal(0))


@given(st.lists(PROMISES, max_size=40))
def test_RET_13_each_promise_is_counted_once_by_supplier_and_once_by_seller(rows: list[PromisesOf]) -> None:
    report = SlaReport(as_of=NOW, rows=tuple(rows))
    wanted = Counter(
        {"due": sum(row.due for row in rows), "at_risk": 0, "breached": sum(row.breached for row in rows)}
    )
    wanted["at_risk"] = sum(row.at_risk for row in rows)
    for groups in (report.by_supplier, report.by_seller, (report.total,)):
        found = {name: sum(getattr(one, name) for one in groups) for name in wanted}
        assert found == dict(wanted)
    assert len({(one.promise, one.of) for one in report.by_seller}) == len(report.by_seller)
