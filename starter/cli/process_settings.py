"""The settings of a process that runs for long."""

from models.environment import settings_from_environment
from models.logs import configure_logs
from models.settings import Settings


def ready_settings() -> Settings:
    """The settings of a process that runs for long, with its logs set up. Raises InvalidInput."""
    settings = settings_from_environment()
    configure_logs(settings.log_format, settings.log_level)
    return settings
