"""Sequences with ever new seeds, for as long as told: `make soak ARGS="--minutes 10 --seed 7"`.

Ends with 1 and the sequences that show it when the product did what the model does not allow.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import SecretStr
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from activities.database import open_database, upgrade
from models.contract import SEARCH_ATTRIBUTES
from models.converter import DATA_CONVERTER
from models.logs import configure_logs
from models.settings import Settings
from starter.sandbox import SandboxClient, running_sandbox
from tests.model.sequence_player import Figures, play_all
from tests.model.sequences import KINDS, generated
from tests.world import World
from worker import build_worker

IN_A_ROUND = 20


@asynccontextmanager
async def fresh_world(folder: Path) -> AsyncIterator[World]:
    """A stack of its own, as the tests have one."""
    configure_logs("console", "ERROR")
    async with (
        await WorkflowEnvironment.start_time_skipping_v2(
            ts_config=TimeSkippingConfig(enabled=False),
            data_converter=DATA_CONVERTER,
            search_attributes=SEARCH_ATTRIBUTES,
            dev_server_existing_path=shutil.which("temporal", path=str(Path(sys.executable).parent)),
            dev_server_log_level="error",
            dev_server_extra_args=[
                "--dynamic-config-value",
                "frontend.WorkflowTimeSkippingEnabled=true",
                "--dynamic-config-value",
                'history.timerProcessorMaxTimeShift="10ms"',
            ],
        ) as env,
        running_sandbox(database=folder / "sandbox.db") as sandbox,
        SandboxClient(sandbox.http_url) as client,
    ):
        settings = Settings.model_validate(
            {
                "database_url": SecretStr(f"sqlite:///{folder / 'books.db'}"),
                "smtp_port": sandbox.smtp_port,
                "partner_timeout_seconds": 5,
            }
        )
        upgrade(settings.database_url.get_secret_value())
        engine = open_database(settings)
        try:
            async with build_worker(env.client, settings, engine, task_queue="backhaul-soak"):
                yield World(env, sandbox, client, engine, settings, "backhaul-soak")
        finally:
            engine.dispose()


async def soak(minutes: float, seed: int, sequences: int = IN_A_ROUND) -> int:
    """Rounds until the time is over, one at least, each on a fresh stack; how many violations there were."""
    total = Figures()
    began, round_seed = time.monotonic(), seed
    while not total.sequences or time.monotonic() - began < minutes * 60:
        with tempfile.TemporaryDirectory(prefix="backhaul-soak-") as folder:
            async with fresh_world(Path(folder)) as world:
                for kind in KINDS.values():
                    total.add(await play_all(world, generated(kind, sequences, round_seed)))
        sys.stdout.write(f"{time.monotonic() - began:6.0f} s, seed {round_seed}: {total}\n")
        sys.stdout.flush()
        round_seed += 1
    for violation in total.violations:
        sys.stdout.write(f"\n{violation}\n")
    return len(total.violations)


def main() -> None:
    """Exit code 1 on a violation."""
    parser = argparse.ArgumentParser(prog="make soak", description="Events in any order, for as long as told.")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long (default: 5)")
    parser.add_argument(
        "--seed", type=int, default=int(time.time()), help="the first round's seed, to play it again"
    )
    parser.add_argument(
        "--sequences",
        type=int,
        default=IN_A_ROUND,
        help=f"how many of each kind in a round (default: {IN_A_ROUND})",
    )
    told = parser.parse_args()
    sys.exit(1 if asyncio.run(soak(told.minutes, told.seed, told.sequences)) else 0)


if __name__ == "__main__":
    main()
