"""Histories of switchovers in a simulated world, each a pure function of its seed, under the real engine."""
