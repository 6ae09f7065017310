"""What DNS providers with an HTTP API share: requests, limits, compare and write, tokens, signatures."""
