"""What platforms say of the deployments that they run."""
