"""Health checks, what came of them, and the verdicts folded from their results."""
