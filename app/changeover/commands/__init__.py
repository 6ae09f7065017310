"""The commands, one module for each group of them; each imports only what it needs."""
