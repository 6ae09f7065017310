"""Switching over: reading the situation, running a plan, verifying it, reporting."""
