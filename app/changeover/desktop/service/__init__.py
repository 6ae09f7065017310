"""The list of services and one service's page, with what can be done there."""
