"""One running stack for all tests: a real Temporal server with time skipping, sandbox, books, a worker.

BACKHAUL_TEST_CACHED_CASES=0: no worker keeps a case, so each of its tasks replays it from the start.
"""

import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from activities.books import open_books, upgrade
from models.contract import SEARCH_ATTRIBUTES
from models.converter import DATA_CONVERTER
from models.settings import Settings
from starter.sandbox import RunningSandbox, SandboxClient, running_sandbox
from tests.postgres import POSTGRES_URL, EmptyPostgres
from tests.world import World
from worker import build_worker

CACHED_CASES = os.environ.get("BACKHAUL_TEST_CACHED_CASES")
if CACHED_CASES is not None:
    os.environ["BACKHAUL_MAX_CACHED_WORKFLOWS"] = CACHED_CASES

PROOFS = ("chaos", "demo", "model", "outages", "races", "replay", "security")
