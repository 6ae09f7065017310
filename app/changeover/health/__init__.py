"""Finding out whether deployments answer well."""
