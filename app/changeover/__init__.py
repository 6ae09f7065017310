"""Changeover: see that a web application is down, and move its visitors to the backup, safely."""

__version__ = "0.1.0"
