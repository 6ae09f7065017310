"""The settings file: read with every fault at once, checked, edited without losing a comment."""
