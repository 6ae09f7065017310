"""Executing the actions of a plan that are not DNS: calls, commands, waits, approvals."""
