"""The library that command line, front, demo and tests use: start cases, send events, ask how they stand."""
