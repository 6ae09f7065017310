"""The practice ground: its servers by themselves, and the whole of it."""
