"""Cases whose payloads are encrypted, and cases that are looked into, on the stack of all tests."""

import io
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, make_url
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from activities.database import ConnectionRegister
from activities.database.engines import make_engine
from models.converter import DATA_CONVERTER
from models.settings import Settings
from starter.ops.local_connections import sandbox_connections
from starter.ops.ports import free_port
from starter.sandbox import RunningSandbox, SandboxClient
from tests.chaos.postgres import Postgres, is_installed
from tests.security.at_rest import SealedWorld
from tests.security.sample_cases import (
    DATABASE_PASSWORD,
    PARTNERS_KEY,
    SECRETS,
    SMTP_USER,
    Played,
    left_by,
    logging_to,
    play,
    use_the_doors,
)
from tests.world import World
from worker import build_worker, telemetry


@pytest.fixture
async def sealed(
    env: WorkflowEnvironment,
    stack_sandbox: RunningSandbox,
    stack_client: SandboxClient,
    stack_books: Engine,
    stack_settings: Settings,
) -> AsyncIterator[SealedWorld]:
    """A world whose payloads are encrypted; no worker runs yet."""
    yield SealedWorld(env, stack_sandbox, stack_client, stack_books, stack_settings)
    await stack_client.clear_faults()


@pytest.fixture(scope="session")
def locked_books(request: pytest.FixtureRequest, stack_books: Engine) -> Iterator[Engine]:
    """Books whose address holds a password; where PostgreSQL is not installed, those of all tests."""
    if not is_installed():
        yield stack_books
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    url = make_url(postgres.url).set(password=DATABASE_PASSWORD)
    engine = make_engine(url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def secret_settings(stack_settings: Settings, locked_books: Engine) -> Settings:
    """Settings whose every secret is unmistakable, and used."""
    secrets = {name: SecretStr(value) for name, value in SECRETS.items()}
    books = SecretStr(locked_books.url.render_as_string(hide_password=False))
    more = {"database_url": books, "smtp_user": SMTP_USER, "metrics_address": f"127.0.0.1:{free_port()}"}
    return stack_settings.model_copy(update=secrets | more)


@pytest.fixture(scope="session")
async def played(
    env: WorkflowEnvironment,
    stack_sandbox: RunningSandbox,
    stack_client: SandboxClient,
    locked_books: Engine,
    secret_settings: Settings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Played:
    """The cases, played once; each test looks into one place."""
    settings = secret_settings
    client = await Client.connect(
        env.client.service_client.config.target_host,
        namespace=env.client.namespace,
        data_converter=DATA_CONVERTER,
        runtime=telemetry(settings),
    )
    queue = f"personal-{uuid4().hex[:8]}"
    world = World(env, stack_sandbox, stack_client, locked_books, settings, queue)
    file = tmp_path_factory.mktemp("keys") / "partners"
    file.write_text(PARTNERS_KEY)
    ConnectionRegister(locked_books).put(sandbox_connections(stack_sandbox.http_url, f"file:{file}"))
    log = io.StringIO()
    with logging_to(log):
        async with build_worker(client, settings, locked_books, task_queue=queue):
            refusals = await play(world)
            answers = await use_the_doors(world)
            async with httpx.AsyncClient() as http:
                metrics = (await http.get(f"http://{settings.metrics_address}/metrics")).text
    await stack_client.clear_faults()
    ids, listed, failures, payloads = await left_by(env.client, queue)
    mails = [mail for mail in await stack_client.mails() if world.tag in mail.subject]
    return Played(ids, listed, failures, payloads, log.getvalue(), metrics, refusals, answers, tuple(mails))
