"""This computer's own DNS cache: flushing it, and opening a browser past it."""
