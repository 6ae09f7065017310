"""Plans, runs folded from a journal, and what may be done with a run next."""
