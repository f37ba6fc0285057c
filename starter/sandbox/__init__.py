"""The partners that belong to others, played locally over their own protocols, for tests and the demo.

Production code never imports this package: only the base URLs differ.
"""

from starter.sandbox.client import SandboxClient
from starter.sandbox.server import (
    DATABASE,
    HTTP_PORT,
    SMTP_PORT,
    PortInUse,
    RunningSandbox,
    running_sandbox,
    serve,
)

__all__ = [
    "DATABASE",
    "HTTP_PORT",
    "SMTP_PORT",
    "PortInUse",
    "RunningSandbox",
    "SandboxClient",
    "running_sandbox",
    "serve",
]
