"""The history of checks: written, rolled up, queried."""
