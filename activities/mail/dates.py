"""Dates for people: in their own time zone and language, with day, hour and zone (NTF-10)."""

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, get_timezone_name

_DAYS: Final = {"en": "EEEE, d MMMM y", "de": "EEEE, d. MMMM y"}
"""How the built-in templates write a day; any other language as it is usual there."""
_HOURS: Final = {"de": "{} Uhr"}


def moment_in_words(value: str, time_zone: str, language: str) -> str:
    """`Monday, 2 March 2026, 15:00 CET`. `value` is RFC 3339; what is not stays as it is."""
    moment = _local(value, time_zone)
    if moment is None:
        return value
    hour = _HOURS.get(language, "{}").format(f"{moment:%H:%M}")
    return f"{_day(moment, language)}, {hour} {_zone_name(moment, language)}"


def day_in_words(value: str, time_zone: str, language: str) -> str:
    """`Monday, 2 March 2026`: the day on which that moment falls for the reader."""
    moment = _local(value, time_zone)
    return value if moment is None else _day(moment, language)


def _day(moment: datetime, language: str) -> str:
    return format_date(moment, _DAYS.get(language, "full"), locale=locale_of(language))


def _local(value: str, time_zone: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.astimezone(_zone(time_zone)) if moment.tzinfo is not None else None


def _zone_name(moment: datetime, language: str) -> str:
    """`CET`, `MEZ`; zones without a name of their own say their distance, `UTC+5:30`. What the language calls such
    a zone all the same may be an hour off: Morocco's `WEZ`."""
    own = moment.tzname() or ""
    if own.isalpha():
        name = get_timezone_name(moment, width="short", locale=locale_of(language))
        return name if name.isalpha() else own
    minutes = round((moment.utcoffset() or UTC.utcoffset(None)).total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


@lru_cache(maxsize=1000)
def _zone(name: str) -> tzinfo:
    """A name that this machine does not know, or knows no more, is told in UTC: better than no mail."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return UTC


@lru_cache(maxsize=100)
def locale_of(language: str) -> Locale:
    """How a language writes dates and numbers; one that is not known as English does."""
    try:
        return Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale("en")
