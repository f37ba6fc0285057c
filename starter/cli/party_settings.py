"""What `seller` and `supplier` do: their settings, shown, set, and imported."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Generic, TypeVar, get_origin

import yaml

from activities.database import Parties
from models.failures import InvalidInput, NotFound, Problem
from models.message import Message
from models.parties import Seller, Supplier
from starter.cli.case_lookup import parties
from starter.cli.documents import open_document
from starter.cli.output import say, show_json, show_table

Party = TypeVar("Party", Seller, Supplier)


@dataclass(frozen=True)
class Register(Generic[Party]):
    """One kind of party, and how the database keeps it."""

    name: str
    model: type[Party]
    id_of: Callable[[Party], str]
    all: Callable[[Parties], list[Party]]
    get: Callable[[Parties, str], Party]
    put: Callable[[Parties, Party], None]
    columns: tuple[str, ...]


SELLERS = Register(
    "seller",
    Seller,
    lambda party: party.seller_id,
    lambda books: books.sellers(),
    lambda books, party_id: books.seller(party_id),
    lambda books, party: books.put_seller(party),
    ("seller_id", "name", "language", "auto_release", "auto_refund_buyer", "refund_sla_days"),
)
SUPPLIERS = Register(
    "supplier",
    Supplier,
    lambda party: party.supplier_id,
    lambda books: books.suppliers(),
    lambda books, party_id: books.supplier(party_id),
    lambda books, party: books.put_supplier(party),
    ("supplier_id", "name", "language", "fulfilment", "rma", "rma_days"),
)
REGISTERS: Final[dict[str, Register[Any]]] = {"seller": SELLERS, "supplier": SUPPLIERS}


def list_parties(register: Register[Party], as_json: bool) -> None:
    with parties() as books:
        found = register.all(books)
    if as_json:
        show_json(found)
    elif not found:
        say(f"no {register.name}s yet; import some: backhaul {register.name} import FILE.yaml")
    else:
        show_table(
            register.columns, (tuple(getattr(party, column) for column in register.columns) for party in found)
        )


def show_party(register: Register[Party], party_id: str, as_json: bool) -> None:
    """As YAML that can be imported again. Raises NotFound."""
    with parties() as books:
        found = register.get(books, party_id)
    if as_json:
        show_json(found)
    else:
        say(as_yaml(found))


def set_party(register: Register[Party], party_id: str, changes: list[str]) -> None:
    """`changes`: KEY=VALUE. Raises NotFound, InvalidInput."""
    with parties() as books:
        before = register.get(books, party_id)
        after = _changed(register, before, changes)
        register.put(books, after)
    changed = [name for name in register.model.model_fields if getattr(before, name) != getattr(after, name)]
    say(f"{register.name} {party_id}: {', '.join(changed) + ' changed' if changed else 'nothing changed'}")


def import_parties(register: Register[Party], file: Path) -> None:
    """The whole file is checked before anything is written. Raises NotFound, InvalidInput."""
    found = open_document(file).read(register.model)
    with parties() as books:
        for party in found:
            say(f"{register.name} {register.id_of(party)}: {_put(register, books, party)}")


class _ForPeople(yaml.SafeDumper):
    """Several lines of text stay several lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_ForPeople.add_representer(str, _text)


def as_yaml(party: Message) -> str:
    text: str = yaml.dump(party.model_dump(mode="json"), Dumper=_ForPeople, sort_keys=False, allow_unicode=True)
    return text.rstrip()


def _put(register: Register[Party], books: Parties, party: Party) -> str:
    try:
        before = register.get(books, register.id_of(party))
    except NotFound:
        register.put(books, party)
        return "added"
    if before == party:
        return "unchanged"
    register.put(books, party)
    return "changed"


def _changed(register: Register[Party], before: Party, changes: list[str]) -> Party:
    data: dict[str, Any] = before.model_dump(mode="json")
    for change in changes:
        key, separator, value = change.partition("=")
        if not separator:
            raise InvalidInput(f"{register.name} set", [Problem(change[:100], "must be KEY=VALUE")])
        if key not in register.model.model_fields or key.endswith("_id"):
            settable = ", ".join(name for name in register.model.model_fields if not name.endswith("_id"))
            raise InvalidInput(f"{register.name} set", [Problem(key[:100], f"is none of {settable}")])
        data[key] = _value(register.model, key, value)
    try:
        return register.model.at_the_door(data)
    except InvalidInput as error:
        raise InvalidInput(f"{register.name} {register.id_of(before)}", error.problems) from None


def _value(model: type[Message], key: str, text: str) -> Any:
    if get_origin(model.model_fields[key].annotation) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    if get_origin(model.model_fields[key].annotation) is dict:
        return dict(_pair(key, part) for part in text.split(",") if part.strip())
    return text if text else None


def _pair(key: str, text: str) -> tuple[str, Any]:
    """`DE:14`. Raises InvalidInput."""
    name, separator, value = (part.strip() for part in text.partition(":"))
    if not (name and separator and value):
        raise InvalidInput(key, [Problem(text[:100], "must be NAME:VALUE, such as DE:14")])
    return name, int(value) if value.isdigit() else value
