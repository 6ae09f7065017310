"""Accounts at providers, opened with their secrets; the settings in force and every change of them."""
