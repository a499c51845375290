"""One pass over one service, what it needs of the world, and what outlives a killed one."""
