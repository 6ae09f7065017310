"""States, faults and notices in words for people."""
