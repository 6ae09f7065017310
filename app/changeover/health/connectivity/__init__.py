"""Is it me: witnesses, gateways, interfaces and clocks of this computer."""
