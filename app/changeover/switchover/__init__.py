"""Switching over: preparing a plan, running a plan, verifying it, reporting."""
