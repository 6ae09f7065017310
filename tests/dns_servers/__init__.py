"""Real DNS servers, and a Cloudflare that behaves as documented, all on loopback, for tests."""
