"""What people set up: services, deployments, accounts, actions, maintenance."""
