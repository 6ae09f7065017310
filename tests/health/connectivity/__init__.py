"""Tests of "is it me?"."""
