"""Verifying a switch: first every authoritative server, then the service itself, as visitors get it."""

from __future__ import annotations

from changeover.model.verification import Verdict
from changeover.switchover.name_servers import name_servers
from changeover.switchover.visitors import Walk, visitors

__all__ = ["Verdict", "Walk", "name_servers", "visitors"]
