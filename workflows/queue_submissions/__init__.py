"""The queue to Amazon is sent by itself, as often as the account's setting says (AMZ-6). No case."""
