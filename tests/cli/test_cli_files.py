"""Files that people write: what is wrong is named by file, entry, line and field, before anything is sent."""

import time
from pathlib import Path

import pytest

from models.failures import InvalidInput
from models.orders import OrderRequest
from models.parties import Seller
from models.plain_yaml import read_yaml
from starter.cli.documents import Document, open_document
from tests.cli.conftest import Line

ORDER = """\
order_id: "1001"
seller_id: acme
buyer:
  email: robin@example.com
  address: {name: Robin, line1: 12 River Road, city: Sacramento, region: CA, postal_code: "95814", country: US}
lines:
  - {sku: BRK-100, title: Brake pad, quantity: 2, unit_price: "45.00", unit_cost: "31.50"}
payment: {paid_by: stripe, reference: pi_1001, amount: "90.00", currency: USD}
"""


def problems(text: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        Document("orders.yaml", text).read(OrderRequest)
    return [str(problem) for problem in caught.value.problems]


def test_a_good_file_is_one_order_or_a_list() -> None:
    assert [order.order_id for order in Document("one.yaml", ORDER).read(OrderRequest)] == ["1001"]
    second = ORDER.replace("1001", "1002")
    many = "".join("- " + entry.replace("\n", "\n  ").rstrip(" ") for entry in (ORDER, second))
    assert [order.order_id for order in Document("many.yaml", many).read(OrderRequest)] == ["1001", "1002"]


def test_a_wrong_field_is_named_with_its_line() -> None:
    assert problems(ORDER.replace("quantity: 2", "quantity: 0")) == [
        "line 7, lines.0.quantity: a quantity is between 1 and 100000"
    ]


def test_a_missing_field_is_named_with_the_line_around_it() -> None:
    assert problems(ORDER.replace("seller_id: acme\n", "")) == ["line 1, seller_id: is missing"]


def test_an_unknown_field_is_refused() -> None:
    assert problems(ORDER + "colour: red\n") == ["line 9, colour: is not known here"]


def test_money_as_a_number_is_refused_because_it_has_lost_digits() -> None:
    [problem] = problems(ORDER.replace('amount: "90.00"', "amount: 90.00"))
    assert problem.startswith("line 8, payment.amount: money is a decimal string")


def test_all_faults_of_all_entries_are_told_at_once() -> None:
    wrong = ORDER.replace("quantity: 2", "quantity: none")
    many = "".join("- " + entry.replace("\n", "\n  ").rstrip(" ") for entry in (ORDER, wrong, wrong))
    assert [problem.split(",")[0] for problem in problems(many)] == ["entry 2", "entry 3"]


def test_json_faults_have_lines_too() -> None:
    text = '{\n "order_id": "1",\n "seller_id": 5\n}'
    with pytest.raises(InvalidInput) as caught:
        Document("order.json", text).read(OrderRequest)
    assert "line 3, seller_id: must be a valid string" in [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(("name", "text"), [("a.json", '{"a": 1,}'), ("a.yaml", "a: [1"), ("b.yaml", "a: b: c")])
def test_text_that_can_not_be_read_is_named_with_its_line(name: str, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Document(name, text)
    assert str(caught.value).startswith(f"{name}: line 1: not ")


def test_norway_is_a_country_and_a_language() -> None:
    text = "{seller_id: fjord, name: Fjord, email: a@fjord.example, language: no}"
    assert Document("sellers.yaml", text).read(Seller)[0].language == "no"


def test_nothing_is_sent_when_one_entry_is_wrong(nowhere: Line, tmp_path: Path) -> None:
    file = tmp_path / "orders.yaml"
    file.write_text(ORDER.replace("acme", "a b"))
    result = nowhere("order", "start", str(file))
    assert result.exit_code == 2
    assert "line 2, seller_id" in result.stderr
    assert "Traceback" not in result.output


def test_the_same_order_twice_in_a_file_is_a_mistake(nowhere: Line, tmp_path: Path) -> None:
    file = tmp_path / "orders.yaml"
    file.write_text("".join("- " + ORDER.replace("\n", "\n  ").rstrip(" ") for _ in range(2)))
    result = nowhere("order", "start", str(file))
    assert result.exit_code == 2
    assert "entry 2, order_id: the same as that of entry 1" in result.stderr


def test_a_file_that_is_not_there(nowhere: Line) -> None:
    result = nowhere("order", "start", "missing.yaml")
    assert result.exit_code == 3
    assert result.stderr.strip() == "backhaul: missing.yaml can't be read: No such file or directory"


# ---- what makes a small file large ----

BOMB = 'a: &a ["x","x","x","x","x","x","x","x","x"]\n' + "".join(
    f"{name}: &{name} [*{before},*{before},*{before},*{before},*{before},*{before},*{before},*{before}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("orders.yaml", BOMB, "line 1: anchors (&name) and aliases (*name) are not taken; write the value out"),
        ("orders.yaml", "a: *b\n", "line 1: anchors (&name) and aliases (*name) are not taken"),
        ("orders.yaml", "a: &a {<<: *a}\n", "line 1: anchors (&name) and aliases (*name) are not taken"),
        ("orders.yaml", "- " + "[" * 3000, "line 1: nothing may be nested more than 64 times"),
        ("orders.yaml", "\n".join(" " * depth + "- " for depth in range(500)), "nested more than 64 times"),
        ("orders.json", "[" * 100_000, "(file): nothing may be nested more than 64 times"),
        ("orders.json", "[" * 500 + "]" * 500, "nothing is nested more than 64 times"),
        ("orders.yaml", f"quantity: {'9' * 5000}", "(file): a number in it has too many digits"),
        ("orders.json", f"[{'9' * 5000}]", "(file): a number in it has too many digits"),
    ],
    ids=["aliases", "alias", "merged", "flow", "blocks", "JSON", "deep JSON", "digits", "JSON digits"],
)
def test_a_small_file_that_means_something_large_is_refused_at_once(name: str, text: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        Document(name, text).read(OrderRequest)
    assert problem in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    "arguments", [("order", "start", "{file}"), ("seller", "import", "{file}"), ("up", "--config", "{file}")]
)
def test_every_file_is_read_with_the_same_limits(
    nowhere: Line, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    file = tmp_path / "bomb.yaml"
    file.write_text(BOMB)
    refused = nowhere(*(argument.format(file=file) for argument in arguments))
    assert (refused.exit_code, "anchors (&name)" in refused.output) == (2, True)


# ---- what a file seems to say, and does not ----


@pytest.mark.parametrize(
    "value",
    ["!!python/object:os.system x", "!!bool maybe", "!!int ''", "!!timestamp noon", "!!binary aGk=", "! x"],
)
def test_a_tag_in_a_file_is_refused_in_words(value: str) -> None:
    with pytest.raises(InvalidInput, match=r"line 2: tags \(such as !!int\) are not taken"):
        Document("orders.yaml", f"a: 1\nb: {value}")


@pytest.mark.parametrize("typed", ["010", "1:30", "1_000", "0x10", "0b1", "=", ".inf", "<<", "01.50"])
def test_ORD_21_what_is_typed_is_never_taken_for_another_number(typed: str) -> None:
    assert Document("orders.yaml", f"a: {typed}").data == {"a": typed}


def test_ORD_21_a_number_is_a_number() -> None:
    assert read_yaml("a", "[0, 12, -3, +4, 1.5, -119.81, 1.5e3]") == [0, 12, -3, 4, 1.5, -119.81, 1500.0]


def test_ORD_21_a_postal_code_that_begins_with_0_is_taken_as_it_is_typed() -> None:
    (order,) = Document("orders.yaml", ORDER.replace('"95814"', "01234")).read(OrderRequest)
    assert order.buyer.address.postal_code == "01234"


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("a.yaml", "amount: 1\namount: 2", "line 2: amount"),
        ("a.yaml", "lines: [{sku: A, 'sku': B}]", "line 1: sku"),
        ("a.json", '{"amount": "1.00", "amount": "9.00"}', "amount"),
    ],
)
def test_a_field_that_is_said_twice_is_refused(name: str, text: str, where: str) -> None:
    with pytest.raises(InvalidInput, match=f"{where} stands twice in one place"):
        Document(name, text)


def test_a_large_file_with_a_field_twice_is_refused_as_quickly_as_it_is_read() -> None:
    fields = ",".join(f'"f{number}": 1' for number in range(20_000))
    started = time.process_time()
    with pytest.raises(InvalidInput, match="f19999 stands twice in one place"):
        Document("a.json", f'{{{fields}, "f19999": 2}}')
    assert time.process_time() - started < 2


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    for name, text in (("a.json", '{"a": 1}'), ("a.yaml", "a: 1")):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8-sig")
        assert open_document(file).data == {"a": 1}
