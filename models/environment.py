"""What a process reads from its environment: our settings, and Temporal's own connection profile."""

import re
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings
from temporalio.envconfig import ClientConfig, ClientConnectConfig

from models.failures import InvalidInput, Problem
from models.message import problems_of
from models.settings import Settings

DEFAULT_ADDRESS: Final = "127.0.0.1:7233"

SomeSettings = TypeVar("SomeSettings", bound=BaseSettings)


def read_settings(kind: type[SomeSettings]) -> SomeSettings:
    """Read settings of this kind from the environment and `.env`.

    Raises InvalidInput that names every wrong variable, never its value.
    """
    try:
        return kind()
    except ValidationError as error:
        prefix = kind.model_config.get("env_prefix", "")
        problems = [
            Problem(
                problem.field if problem.field.isupper() else f"{prefix}{problem.field.upper()}", problem.message
            )
            for problem in problems_of(error)
        ]
        raise InvalidInput("settings", problems) from None


def settings_from_environment() -> Settings:
    """The settings of this process. Raises InvalidInput."""
    return read_settings(Settings)


def _without_the_file(said: str) -> str:
    """Where a profile is wrong: the parser's own words quote its lines, and so an API key."""
    place = re.search(r"parse error at line \d+, column \d+", said)
    return f"TOML {place.group()}" if place else said


def temporal_profile() -> ClientConnectConfig:
    """Address, namespace, TLS and API key of the Temporal server: `TEMPORAL_*`, or a profile of Temporal's file.

    `target_host` is always there. Raises InvalidInput when the profile can't be read.
    """
    try:
        profile = ClientConfig.load_client_connect_config()
    except (RuntimeError, ValueError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else _without_the_file(str(error))
        where = getattr(error, "filename", None)
        raise InvalidInput(
            "Temporal's connection profile",
            [Problem("TEMPORAL_*", f"{reason}{f' ({Path(where).name})' if where else ''}")],
        ) from None
    profile.setdefault("target_host", DEFAULT_ADDRESS)
    return profile
