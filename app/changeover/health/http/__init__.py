"""One HTTP exchange over a connection of its own, with its certificate and the times of its phases."""
