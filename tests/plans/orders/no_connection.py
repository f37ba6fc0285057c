"""The broker has no connection by which its sellers are charged."""

from typing import Final

from models.alerts import AlertKind, AlertTopic
from models.failures import Category
from tests.plans.rig import Troubled

NO_CONNECTION: Final = Troubled(
    "ConnectionUnusable: the broker has no active payments connection: import one",
    Category.CONNECTION_UNUSABLE,
    alert=True,
    topic=AlertTopic(kind=AlertKind.CONNECTION, name="broker"),
)
