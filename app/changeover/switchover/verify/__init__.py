"""Verifying a switch: every authoritative server, then the service itself, as visitors get it."""
