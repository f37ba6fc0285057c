"""`replay`: before a deploy, try this code on the open cases of a server."""


def replay() -> None:
    """Before a deploy: replay the open cases of the server on this code, and say which would break.

    Changes nothing. Exit code 0: all can go on; 3: some can't be read, as their key is not in
    BACKHAUL_PAYLOAD_KEYS; 4: some would break.

    Example:

      backhaul replay
    """
    from starter.cli.output import run
    from starter.cli.replay_run import replay_all

    run(replay_all())
