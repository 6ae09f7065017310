"""What comes from outside, as nobody would send it: each reader gives a result, or says so in words."""
