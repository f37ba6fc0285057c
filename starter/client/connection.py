"""The connection of everything that starts or asks to Temporal."""

import asyncio
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from models.converter import data_converter
from models.environment import settings_from_environment, temporal_profile
from models.failures import PartnerUnavailable, RefusedByPartner

CONNECT_SECONDS: Final = 5.0
_NO_ENTRY: Final = (RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED)


async def connect() -> Client:
    """Connect once, where `TEMPORAL_*` or Temporal's profile says (default 127.0.0.1:7233).

    Raises PartnerUnavailable when nothing answers there, RefusedByPartner when the key is not accepted,
    InvalidInput when the profile or a setting is wrong.
    """
    profile = temporal_profile()
    converter = data_converter(settings_from_environment())
    address = profile["target_host"]
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await Client.connect(**profile, data_converter=converter)
    except RPCError as error:
        if error.status in _NO_ENTRY:
            raise RefusedByPartner(
                f"the Temporal server at {address} does not let us in: {error.message}"
            ) from None
        raise PartnerUnavailable(f"the Temporal server at {address} does not answer: {error.message}") from None
    except (RuntimeError, TimeoutError):
        raise PartnerUnavailable(
            f"no Temporal server answers at {address}; start the local stack with `backhaul up`, "
            "or set TEMPORAL_ADDRESS"
        ) from None
