"""Settlements that Amazon has made are looked for by schedule (AMZ-8). No case."""
