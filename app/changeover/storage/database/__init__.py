"""The SQLite file: its schema, its migrations, and one connection a thread."""
