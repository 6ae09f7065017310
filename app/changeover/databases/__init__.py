"""Asking the database servers of a service how they stand, and making a standby the primary."""
