"""Forms that change how a service is checked: conditions, journeys, maintenance."""
