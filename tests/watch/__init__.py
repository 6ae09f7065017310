"""Tests of watching, in a time of their own."""
