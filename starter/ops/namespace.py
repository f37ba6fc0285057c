"""What a namespace needs before cases can run in it: search attributes and a retention. On any server."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeIndexedValueType
from temporalio.service import RPCError, RPCStatusCode

from models.contract import SEARCH_ATTRIBUTES
from models.failures import Conflict
from models.message import Message

TYPE_NAMES: Final[Mapping[SearchAttributeIndexedValueType, str]] = {
    SearchAttributeIndexedValueType.TEXT: "Text",
    SearchAttributeIndexedValueType.KEYWORD: "Keyword",
    SearchAttributeIndexedValueType.INT: "Int",
    SearchAttributeIndexedValueType.DOUBLE: "Double",
    SearchAttributeIndexedValueType.BOOL: "Bool",
    SearchAttributeIndexedValueType.DATETIME: "Datetime",
    SearchAttributeIndexedValueType.KEYWORD_LIST: "KeywordList",
}


class Prepared(Message):
    """What was done to a namespace; doing it again does nothing."""

    namespace: str
    added: tuple[str, ...]
    already: tuple[str, ...]
    retention_before: timedelta
    retention: timedelta


def contract_attributes() -> dict[str, str]:
    """Names and types (`Keyword`) of the contract's search attributes."""
    return {key.name: TYPE_NAMES[key.indexed_value_type] for key in SEARCH_ATTRIBUTES}


async def prepare_namespace(client: Client, retention: timedelta) -> Prepared:
    """Create the search attributes that are missing, and set the retention of closed cases.

    Raises Conflict when one exists with another type; RPCError when the server refuses.
    """
    added, already = await _add_attributes(client)
    before = await _retention_of(client)
    if before != retention:
        ttl = Duration()
        ttl.FromTimedelta(retention)
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(
                namespace=client.namespace, config=NamespaceConfig(workflow_execution_retention_ttl=ttl)
            )
        )
    return Prepared(
        namespace=client.namespace,
        added=tuple(added),
        already=tuple(already),
        retention_before=before,
        retention=retention,
    )


async def _retention_of(client: Client) -> timedelta:
    answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    return answer.config.workflow_execution_retention_ttl.ToTimedelta()


async def _add_attributes(client: Client) -> tuple[list[str], list[str]]:
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    missing: dict[str, IndexedValueType.ValueType] = {}
    already: list[str] = []
    for key in SEARCH_ATTRIBUTES:
        type_wanted = IndexedValueType.ValueType(key.indexed_value_type.value)
        type_known = known.custom_attributes.get(key.name)
        if type_known is None:
            missing[key.name] = type_wanted
        elif type_known == type_wanted:
            already.append(key.name)
        else:
            raise Conflict(
                f"search attribute {key.name} exists in namespace {client.namespace} as "
                f"{IndexedValueType.Name(type_known)}, but must be {TYPE_NAMES[key.indexed_value_type]}; "
                "remove it there, or use another namespace"
            )
    if missing:
        try:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.ALREADY_EXISTS:  # another setup was quicker
                raise
    return list(missing), already
