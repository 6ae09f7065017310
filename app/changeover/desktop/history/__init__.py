"""A service's past: charts, the timeline, and what reads them from the history."""
