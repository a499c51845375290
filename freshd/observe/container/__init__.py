"""The container link: which containers there are, and what their paths hold now."""
