"""Settings of a process: addresses, keys, numbers of this installation. Environment variables, or `.env`.

The connection to Temporal is not here: it is Temporal's own (`temporalio.envconfig`, `TEMPORAL_*`).
Settings of the business (sellers, suppliers) are data in the books: see `models.parties`.
"""

import os
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AliasChoices,
    EmailStr,
    Field,
    HttpUrl,
    PositiveInt,
    SecretStr,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.encryption import read_keys
from models.network import is_loopback, needs_tls
from models.orphan_looks import FIRST_PAUSES, ListedPauses

BUILT_IN_SECRET: Final = "local development only"
SHORTEST_SECRET: Final = 32
"""Characters of a secret that signs links which leave this machine."""
SECRET_WANTED: Final = (
    f"set one of your own of at least {SHORTEST_SECRET} characters, such as `openssl rand -hex 32` prints"
)


def _sendable(secret: SecretStr) -> SecretStr:
    """It goes into a header of HTTP, which takes no line break and no letter beyond ASCII."""
    value = secret.get_secret_value()
    if not (value and value.isascii() and value.isprintable() and value == value.strip()):
        raise ValueError("must be printable ASCII characters, without spaces around them")
    return secret


def _sendable_or_none(secret: SecretStr | None) -> SecretStr | None:
    """An empty setting is none."""
    return _sendable(secret) if secret is not None and secret.get_secret_value() else None


def _readable(keys: SecretStr | None) -> SecretStr | None:
    """An empty setting is none."""
    return keys if keys is not None and read_keys(keys.get_secret_value()) else None


def _secrets(text: SecretStr) -> SecretStr:
    if not all(secret.strip() for secret in text.get_secret_value().split(",")):
        raise ValueError("is a secret, or several with commas between them; none of them is empty")
    return text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise ValueError("must be a zone of the IANA database, such as Europe/Berlin or UTC") from None
    return name


def home() -> Path:
    """Where a local installation keeps its books, whatever folder a command is run in: `.backhaul` of the project
    where this program runs from its source, else that of the user's programs (`XDG_STATE_HOME`)."""
    project = Path(__file__).resolve().parents[1]
    if (project / "pyproject.toml").is_file():
        return project / ".backhaul"
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "backhaul"


class Settings(BaseSettings):
    """`BACKHAUL_<NAME>`; the database also as `DATABASE_URL`. Secrets never show in repr, logs or errors."""

    model_config = SettingsConfigDict(
        env_prefix="BACKHAUL_", env_file=".env", extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )

    database_url: SecretStr = Field(
        default_factory=lambda: SecretStr(f"sqlite:///{home() / 'books.db'}"),
        validation_alias=AliasChoices("DATABASE_URL", "BACKHAUL_DATABASE_URL"),
    )
    """`sqlite:///PATH` or `postgresql+psycopg://USER:PASSWORD@HOST/NAME`."""

    allow_plain_http: bool = False
    """Partners on other machines may be asked by `http://`: everybody on the way reads keys and buyers."""
    partner_timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 20.0
    """How long one HTTP request to a partner may take."""
    partner_calls_at_once: PositiveInt = 40
    """How many requests one worker process has under way at one partner, and never more than four fifths of its
    places for this kind of partner; beyond that, calls wait at Temporal."""
    partner_calls_at_once_per_party: PositiveInt = 15
    """How many of them for one supplier, one account at the gateway, or one seller's shop: one that hangs leaves
    places for the others."""
    partner_failures_in_a_row: PositiveInt = 5
    """After so many a partner counts as out of order: one request at a time tries whether it is back."""
    partner_longest_pause_seconds: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """The longest pause between two such tries; the first one is a second. A partner that says `Retry-After` gets
    the pause that it wants."""

    alert_seconds: PositiveInt = 3600
    """Staff get one mail about a partner that does not answer in so many seconds, however many cases it holds up
    (NTF-9)."""
    alerts_per_fault: PositiveInt = 5
    """Of one fault of ours, or one refusal of a partner, so many cases are told one by one in that time; the last
    of these mails says how many cases have it."""

    smtp_host: str = "127.0.0.1"
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 8251
    smtp_tls: bool = False
    allow_plain_login: bool = False
    """User and password may go to another machine's mail server without TLS: all on the way read them."""
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: EmailStr = "returns@backhaul.example"
    mail_staff: EmailStr = "staff@backhaul.example"
    mail_templates: Path | None = None
    """A folder whose templates win over the built-in ones: `<seller id>/<language>/<template>.md`."""
    mail_staff_time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    """IANA name of the zone in which staff are told dates (NTF-10)."""
    temporal_ui_url: HttpUrl = HttpUrl("http://127.0.0.1:8233")
    """Where people open the Temporal UI: mails link to the case there, worklists to their saved query (NTF-6)."""
    seller_page_url: HttpUrl | None = None
    """Where sellers act on a case: their mails link to `<this>/<case>`, such as `.../return-RR-1001-1`. None: the
    mails name the command."""

    orphan_days: Annotated[int, Field(ge=1, le=3650)] = 90
    """For so long the case is looked for of what was said about one that is not known (RET-20)."""
    orphan_pauses_minutes: Annotated[ListedPauses, NoDecode] = FIRST_PAUSES
    """After each of the first looks, with commas; after them it looks once a day."""

    webhook_days: Annotated[int, Field(ge=30, le=3650)] = 180
    """For so long it is known which webhooks came: no gateway says one again later than some days (REF-7)."""

    front_url: HttpUrl = HttpUrl("http://127.0.0.1:8252")
    """Where suppliers reach the page of their RMA link (RET-8)."""
    front_secret: Annotated[SecretStr, AfterValidator(_secrets)] = Field(
        default=SecretStr(BUILT_IN_SECRET), validate_default=True
    )
    """Signs the suppliers' links. Several, with commas: the first signs, links of all of them work."""
    rma_link_days: PositiveInt = 30

    payload_keys: Annotated[SecretStr | None, AfterValidator(_readable)] = None
    """`id:base64key,id2:base64key2`: payloads at Temporal are encrypted with the first, read with any.

    None: not encrypted. `backhaul codec new-key` makes one.
    """
    codec_token: Annotated[SecretStr | None, AfterValidator(_sendable_or_none)] = None
    """What the codec server wants as `Authorization: Bearer`."""

    log_format: Literal["console", "json"] = "console"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_address: str | None = None
    """`host:port` for Prometheus; none: no metrics."""

    @property
    def front_secrets(self) -> tuple[str, ...]:
        """What signs the suppliers' links; the first one signs new ones."""
        return tuple(secret.strip() for secret in self.front_secret.get_secret_value().split(","))

    @property
    def front_secrets_fit_for_others(self) -> bool:
        """Whether nobody guesses a secret: who does, answers for any supplier."""
        return all(len(secret) >= SHORTEST_SECRET and secret != BUILT_IN_SECRET for secret in self.front_secrets)

    @field_validator("front_url")
    @classmethod
    def _not_in_plain_text(cls, url: HttpUrl, info: ValidationInfo) -> HttpUrl:
        if needs_tls(url.scheme, url.host) and not info.data.get("allow_plain_http", False):
            raise ValueError(
                "is plain text, which all on the way read: use https://, or set BACKHAUL_ALLOW_PLAIN_HTTP=true"
            )
        return url

    @field_validator("front_secret")
    @classmethod
    def _nobody_guesses_it(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        url = info.data.get("front_url")
        settings = cls.model_construct(front_secret=secret)
        if url is not None and not is_loopback(url.host) and not settings.front_secrets_fit_for_others:
            raise ValueError(f"signs links for BACKHAUL_FRONT_URL, which others reach: {SECRET_WANTED}")
        return secret

    @field_validator("smtp_user")
    @classmethod
    def _logs_in_by_tls(cls, user: str | None, info: ValidationInfo) -> str | None:
        """An empty setting is none."""
        plain = not info.data.get("smtp_tls") and not is_loopback(info.data.get("smtp_host"))
        if user and plain and not info.data.get("allow_plain_login", False):
            raise ValueError(
                "logs in to the mail server in plain text: "
                "set BACKHAUL_SMTP_TLS=true, or BACKHAUL_ALLOW_PLAIN_LOGIN=true"
            )
        return user or None

    @field_validator("smtp_password")
    @classmethod
    def _logs_somebody_in(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """A password that nobody uses is a login that was forgotten."""
        if password is None or not password.get_secret_value():
            return None
        if info.data.get("smtp_user") is None:
            raise ValueError("needs BACKHAUL_SMTP_USER: without it nobody logs in")
        return password
