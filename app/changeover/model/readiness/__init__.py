"""Could a deployment take over now: what was read, what stands around it, what speaks against a switch."""
