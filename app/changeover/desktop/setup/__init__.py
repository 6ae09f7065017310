"""Adding accounts and services."""
