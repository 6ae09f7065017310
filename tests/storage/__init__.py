"""Tests of what is kept: settings, secrets, the journal."""
