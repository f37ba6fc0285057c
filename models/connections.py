"""Connections: how partners are reached. Data with an owner, as sellers and suppliers are; code names none.

The secret is never in a connection: it says where the secret stands.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, model_validator

from models.amazon.account import AmazonOptions, read_options
from models.amazon.marketplaces import currencies_of
from models.failures import Problem
from models.ids import ID_FORM, CaseId
from models.message import GatewayId, Message, Text
from models.secret_reference import SecretReference


class ConnectionKind(StrEnum):
    """What a partner does for us."""

    PAYMENTS = "payments"
    SUPPLIER = "supplier"
    CHANNEL = "channel"


class Provider(StrEnum):
    """Whose protocol a connection speaks."""

    STRIPE = "stripe"
    PAYPAL = "paypal"
    AUTHORIZE_NET = "authorize_net"
    SUPPLIER_JSON = "supplier_json"
    """The JSON API of docs/partner-api.md."""
    SHOP_JSON = "shop_json"
    AMAZON = "amazon"
    """The Selling Partner API: docs/amazon.md."""


KIND_OF: Final = {
    Provider.STRIPE: ConnectionKind.PAYMENTS,
    Provider.PAYPAL: ConnectionKind.PAYMENTS,
    Provider.AUTHORIZE_NET: ConnectionKind.PAYMENTS,
    Provider.SUPPLIER_JSON: ConnectionKind.SUPPLIER,
    Provider.SHOP_JSON: ConnectionKind.CHANNEL,
    Provider.AMAZON: ConnectionKind.CHANNEL,
}

BROKER: Final = "broker"

HOW_TO_ADD: Final = (
    "import one (backhaul connection import FILE), or activate one (backhaul connection set ID active=true)"
)
"""What staff do where no connection leads."""

_OWNER: Final = re.compile(rf"broker|(seller|supplier):{ID_FORM}")
SIGNS_WITH_SECRET: Final = frozenset({Provider.STRIPE, Provider.AUTHORIZE_NET})
"""Providers whose webhooks are signed with a secret that we have too. PayPal says itself what it signed."""
MOST_WEBHOOK_SECRETS: Final = 5
_MERCHANT: Final = re.compile(r"[A-Z0-9]{5,20}")

_OPTION: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")


def _known_owner(owner: str) -> str:
    if not _OWNER.fullmatch(owner):
        raise ValueError("an owner is broker, seller:ID or supplier:ID")
    return owner


def _option(name: str) -> str:
    if not _OPTION.fullmatch(name):
        raise ValueError("the name of an option is made of small letters, digits and _")
    return name


def _written(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool | int) else value


OptionText = Annotated[Text, BeforeValidator(_written)]
"""What stands in an option; `true` and `30` need no quotes."""

Owner = Annotated[str, AfterValidator(_known_owner)]
"""`broker`, `seller:ID` or `supplier:ID`."""


class Connection(Message):
    """How one partner is reached, by whom it is owned. `options`: what its provider wants to know beside this."""

    connection_id: CaseId
    kind: ConnectionKind
    provider: Provider
    owner: Owner
    base_url: HttpUrl | None = None
    """Where its API stands; none: where the provider has it."""
    account: GatewayId | None = None
    """Whose account at the partner; none: the one that the secret belongs to."""
    secret: SecretReference | None = None
    webhook_secrets: Annotated[tuple[SecretReference, ...], Field(max_length=MOST_WEBHOOK_SECRETS)] = ()
    """With what the provider signs its webhooks; several while one takes the place of another."""
    options: Annotated[dict[Annotated[str, AfterValidator(_option)], OptionText], Field(max_length=50)] = Field(
        default_factory=dict
    )
    active: bool = True
    """Nothing is begun through one that is not. It is never deleted: payments and refunds name it."""

    @model_validator(mode="after")
    def _speaks_its_kind(self) -> Self:
        if KIND_OF[self.provider] is not self.kind:
            raise ValueError(f"{self.provider.value} is a provider of {KIND_OF[self.provider].value}")
        return self

    @model_validator(mode="after")
    def _has_secrets_for_its_webhooks(self) -> Self:
        if self.webhook_secrets and self.provider not in SIGNS_WITH_SECRET:
            raise ValueError(f"webhook_secrets: {self.provider.value} signs no webhooks with a secret")
        return self

    @model_validator(mode="after")
    def _is_whole_where_it_leads_to_amazon(self) -> Self:
        if self.provider is Provider.AMAZON:
            read_options(self.options)
            if not self.owner.startswith("seller:"):
                raise ValueError("owner: an account at Amazon is a seller's: seller:ID")
            if not self.account or not _MERCHANT.fullmatch(self.account):
                raise ValueError("account: Amazon's merchant id of the seller is needed, such as A2EXAMPLE1234")
        return self


def of_seller(seller_id: str) -> str:
    """The owner `seller:ID`."""
    return f"seller:{seller_id}"


def of_supplier(supplier_id: str) -> str:
    """The owner `supplier:ID`."""
    return f"supplier:{supplier_id}"


def serves_channel(connection: Connection, channel: str) -> bool:
    """Whether it is for this channel: Amazon, or the one that its option `channel` names, or any."""
    if connection.provider is Provider.AMAZON:
        return channel == "amazon"
    return connection.options.get("channel", channel) == channel


def amazon_options(connection: Connection) -> AmazonOptions:
    """Of a connection to Amazon, which was checked when it was made."""
    return read_options(connection.options)


def account_for(accounts: Sequence[Connection], currency: str) -> Connection | None:
    """Of a seller's accounts at Amazon the one that an order in this currency is of; none: it may be several."""
    fitting = [one for one in accounts if currency in currencies_of(amazon_options(one).marketplaces)]
    found = fitting or accounts
    return found[0] if len(found) == 1 else None


FIXED: Final = ("kind", "provider", "owner", "account")
"""What never changes of a connection: what was paid through it goes back there."""


CHANGEABLE: Final = ("base_url", "secret", "webhook_secrets", "options", "active")


def fixed_problems(before: Connection, after: Connection) -> list[Problem]:
    """What somebody wants to change that can't change, each with what to do instead."""
    why = "can't change: what went through it goes back there; import a connection of another id instead"
    return [Problem(name, why) for name in FIXED if getattr(before, name) != getattr(after, name)]
