"""The practice ground: a small world on loopback in which a switchover can be tried without touching anything real."""
