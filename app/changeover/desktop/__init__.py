"""The desktop app. Qt is here, and nowhere else."""
