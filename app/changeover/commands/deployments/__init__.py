"""Commands about what runs the deployments of a service, and their databases."""
