"""The domain: frozen data and every decision as a pure function. No I/O, no clock, no Qt."""
