"""Every touch of the outside world: payments, suppliers, shop, mail, books, and the server's own history."""
