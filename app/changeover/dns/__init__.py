"""Reading and changing DNS."""
