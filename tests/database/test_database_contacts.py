"""Whom a mail goes to, which mails are out, and the settings of sellers and suppliers."""

import pytest
from sqlalchemy import Engine

from activities.database import Contacts
from models.failures import NotFound
from models.partners import Contact, Mail, Recipient
from models.settings import Settings
from tests.database.story import Story, seller, supplier


@pytest.fixture
def contacts(story: Story, engine: Engine) -> Contacts:
    """The contacts of an order of two items, of which `north` gets one back."""
    story.parties.put_seller(seller(language="de"))
    story.delivered(("A", 2, "50.00"), ("B", 1, "5.00"), channel="ebay", channel_order_id="E-77")
    story.returned("RR-1", A=1)
    return Contacts(engine, Settings())


def mail(to: Recipient, **more: str) -> Mail:
    return Mail.model_validate(
        {"key": "k", "template": "t", "to": to, "order_id": "1001", "seller_id": "acme"} | more
    )


def contact(contacts: Contacts, about: Mail) -> Contact | None:
    return contacts.addressee(about).contact


def test_ORD_9_the_buyer_is_written_to_by_the_seller_and_learns_of_nobody_else(contacts: Contacts) -> None:
    buyer = contact(contacts, mail(Recipient.BUYER, return_id="RR-1"))
    assert buyer is not None
    assert (buyer.email, buyer.name, buyer.language) == ("bo@buyer.example", "Bo Buyer", "en")
    assert (buyer.seller_name, buyer.reply_to) == ("Acme Parts", "office@acme.example")
    assert buyer.facts["order_number"] == "E-77"
    assert "supplier_name" not in buyer.facts


def test_NTF_1_seller_supplier_and_staff_are_reached_in_their_language(contacts: Contacts) -> None:
    found = {
        to: contact(contacts, mail(to, return_id="RR-1"))
        for to in (Recipient.SELLER, Recipient.SUPPLIER, Recipient.STAFF)
    }
    assert {to: (one.email, one.language) for to, one in found.items() if one is not None} == {
        Recipient.SELLER: ("office@acme.example", "de"),
        Recipient.SUPPLIER: ("returns@north.example", "en"),
        Recipient.STAFF: ("staff@backhaul.example", "en"),
    }


def test_NTF_1_a_mail_about_a_return_lists_what_comes_back_one_about_an_order_all_of_it(
    contacts: Contacts,
) -> None:
    of_return = contact(contacts, mail(Recipient.SELLER, return_id="RR-1"))
    of_order = contact(contacts, mail(Recipient.SELLER))
    assert of_return is not None
    assert of_order is not None
    assert of_return.facts["items"] == "1 x Item A (A)"
    assert of_return.facts["supplier_name"] == "Warehouse north"
    assert of_order.facts["items"] == "2 x Item A (A)\n1 x Item B (B)"


@pytest.mark.parametrize(
    ("to", "unknown"),
    [
        (Recipient.BUYER, {"order_id": "9"}),
        (Recipient.SELLER, {"seller_id": "nobody"}),
        (Recipient.SUPPLIER, {"supplier_id": "nobody"}),
        (Recipient.SUPPLIER, {}),
    ],
)
def test_NTF_1_nobody_known_is_no_contact(contacts: Contacts, to: Recipient, unknown: dict[str, str]) -> None:
    assert contact(contacts, mail(to, **unknown)) is None


def test_NTF_1_a_mail_is_noted_as_sent_once(contacts: Contacts) -> None:
    rma = mail(Recipient.BUYER, key="return-RR-1:rma-buyer")
    assert contacts.addressee(rma).is_sent is False
    contacts.mark_sent(rma.key, "<1@x>")
    contacts.mark_sent(rma.key, "<2@x>")
    assert contacts.addressee(rma).is_sent is True
    assert contacts.addressee(mail(Recipient.BUYER)).is_sent is False


def test_NTF_1_each_supplier_learns_only_of_what_comes_back_to_it(story: Story, engine: Engine) -> None:
    story.ordered(("A", 1, "100.00"), ("B", 2, "50.00"))
    story.bought("north", A=1)
    story.bought("south", B=2)
    story.shipped(A=1, B=2)
    (other,) = story.returned("RR-1", A=1, B=2).siblings
    story.open_return(other)
    for return_id, items in (("RR-1", "1 x Item A (A)"), ("RR-1.2", "2 x Item B (B)")):
        found = contact(Contacts(engine, Settings()), mail(Recipient.SUPPLIER, return_id=return_id))
        assert found is not None
        assert found.facts["items"] == items


def test_settings_of_sellers_and_suppliers_are_kept_and_replaced(story: Story) -> None:
    story.parties.put_seller(seller(seller_id="zeta", minimum_stock=3))
    story.parties.put_seller(seller(seller_id="zeta", minimum_stock=4))
    assert story.parties.seller("zeta").minimum_stock == 4
    assert [one.seller_id for one in story.parties.sellers()] == ["acme", "zeta"]
    assert story.parties.suppliers() == [supplier("north"), supplier("south")]
    assert story.parties.supplier("south") == supplier("south")


def test_unknown_sellers_and_suppliers_are_told(story: Story) -> None:
    with pytest.raises(NotFound, match="no seller nobody"):
        story.parties.seller("nobody")
    with pytest.raises(NotFound, match="no supplier nobody"):
        story.parties.supplier("nobody")
    with pytest.raises(NotFound, match="no order 9"):
        story.reading.order_view("9")


def test_NTF_10_everybody_is_told_dates_in_its_zone_and_a_buyer_in_its_sellers(
    story: Story, engine: Engine
) -> None:
    story.parties.put_seller(seller(time_zone="Europe/Berlin"))
    story.parties.put_supplier(supplier("north").model_copy(update={"time_zone": "America/Chicago"}))
    story.delivered(("A", 1, "50.00"))
    story.returned("RR-1", A=1)
    contacts = Contacts(engine, Settings(mail_staff_time_zone="Asia/Dubai"))
    zones = {}
    for to in Recipient:
        found = contact(contacts, mail(to, return_id="RR-1"))
        assert found is not None
        zones[to.value] = found.time_zone
    assert zones == {
        "buyer": "Europe/Berlin",
        "seller": "Europe/Berlin",
        "supplier": "America/Chicago",
        "staff": "Asia/Dubai",
    }


def test_NTF_9_staff_are_written_to_though_the_seller_is_not_known(contacts: Contacts) -> None:
    for unknown in ({"seller_id": "nobody"}, {"seller_id": None}, {"order_id": "9"}):
        about = Mail.model_validate(
            {"key": "k", "template": "t", "to": "staff", "order_id": "1001", "seller_id": "acme"} | unknown
        )
        found = contact(contacts, about)
        assert found is not None
        assert found.email == "staff@backhaul.example"


def test_NTF_1_items_have_their_titles(contacts: Contacts) -> None:
    found = contact(contacts, mail(Recipient.SELLER))
    assert found is not None
    assert found.titles == {"A": "Item A", "B": "Item B"}
