"""Verifying a switch: the authoritative servers, then the service itself, as visitors get it."""
