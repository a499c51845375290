"""Which service is due next, and what is done with it."""
