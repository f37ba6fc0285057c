"""The settings of the page on outages are there, with these defaults."""

import re
from pathlib import Path

from models.settings import Settings
from worker import WorkerSettings

PAGE = Path(__file__).parent.parent.parent / "docs" / "outages.md"
FIELDS = Settings.model_fields | WorkerSettings.model_fields


def test_each_setting_of_the_page_has_the_default_that_it_says() -> None:
    said = dict(re.findall(r"\| `BACKHAUL_([A-Z_]+)` \| `([0-9.]+)` \|", PAGE.read_text()))
    assert {name: str(FIELDS[name.lower()].default) for name in said} == said
    assert len(said) == 12
