"""Ports of the local stack: are they free, and who has to be asked to change them."""

import errno
import socket
from collections.abc import Iterable
from typing import NamedTuple

from models.failures import Conflict, InvalidInput, Problem


class PortUse(NamedTuple):
    """A port that the local stack listens on."""

    port: int
    purpose: str
    """What needs it, for people: `the web UI of the Temporal server`."""
    change: str
    """Where another number can be given: `ports.ui in temporal-dev.yaml`."""


def require_free(ip: str, uses: Iterable[PortUse]) -> None:
    """Raise Conflict for the first port that something else listens on, InvalidInput for one used twice."""
    seen: dict[int, PortUse] = {}
    for use in uses:
        if use.port in seen:
            other = seen[use.port]
            raise InvalidInput(
                f"port {use.port}", [Problem(use.change, f"the same port is meant for {other.purpose}")]
            )
        seen[use.port] = use
        _require_free(ip, use)


def _require_free(ip: str, use: PortUse) -> None:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Without it a port that was in use a moment ago would count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, use.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                why = "is in use"
            elif error.errno == errno.EACCES:
                why = "may not be used by this user"
            else:
                why = f"can't be used on {ip} ({error.strerror})"
            raise Conflict(
                f"port {use.port} {why}; it is for {use.purpose}. End what listens there, or change {use.change}"
            ) from None


def free_port(ip: str = "127.0.0.1") -> int:
    """A port that nothing listens on right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((ip, 0))
        port: int = probe.getsockname()[1]
        return port
