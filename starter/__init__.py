"""Everything that starts or signals: the command line, the local stack, the sandbox partners."""
