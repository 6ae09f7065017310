"""DNS messages: written, sent, read."""
