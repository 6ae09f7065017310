"""The journal of runs: events appended in order, folded into runs, one writer a service."""
