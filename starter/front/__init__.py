"""What strangers reach: the page of a supplier's RMA link (RET-8, NTF-2), the gateways' webhooks (REF-7)."""

from starter.front.page import create_app
from starter.front.server import serve

__all__ = ["create_app", "serve"]
