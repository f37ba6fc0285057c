"""The page behind a supplier's RMA link (RET-8, NTF-2)."""

from starter.front.page import create_app
from starter.front.server import serve

__all__ = ["create_app", "serve"]
