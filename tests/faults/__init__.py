"""Real servers behind a proxy that does to messages what networks do, and what must be true of every run then."""
