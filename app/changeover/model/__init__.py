"""The words of the product as frozen data, and its decisions as pure functions. No I/O, no clock, no Qt."""
