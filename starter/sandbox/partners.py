"""All the partners of one sandbox, on one store."""

from starter.sandbox.amazon.partner import Amazon
from starter.sandbox.authorize_net import AuthorizeNet
from starter.sandbox.gateway import Gateway
from starter.sandbox.mail import MailSink
from starter.sandbox.paypal import PayPal
from starter.sandbox.shop import Shop
from starter.sandbox.store import Store
from starter.sandbox.suppliers import SupplierNetwork
from starter.sandbox.webhooks import Webhooks
from starter.sandbox.wire import Faults


class Partners:
    """The gateways, the suppliers, the shop, the mail sink, and the faults they meet."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.faults = Faults(store)
        self.gateway = Gateway(store)
        self.paypal = PayPal(store)
        self.authorize_net = AuthorizeNet(store)
        self.amazon = Amazon(store)
        self.suppliers = SupplierNetwork(store)
        self.shop = Shop(store)
        self.mail = MailSink(store, self.faults)
        self.webhooks = Webhooks(store)
