"""The window, the tray and the wizard. Qt is here and nowhere else."""
