"""Ports for processes that are killed and started again on the same ones."""

import random
import socket
from pathlib import Path
from typing import Final

from starter.ops.stack import LOCAL

_RANGE: Final = 12_000
_TRIES: Final = 100


def lasting_port() -> int:
    """A free port that stays free while its process is dead: the system gives it to no outgoing connection."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(_TRIES):
        port = random.randrange(max(lowest - _RANGE, 1024), lowest)
        with socket.socket() as probe:
            try:
                probe.bind((LOCAL, port))
            except OSError:
                continue
            return port
    raise RuntimeError(f"no port below {lowest} is free")
