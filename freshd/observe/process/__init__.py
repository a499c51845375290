"""The process link: what runs in a container, since when, and what it keeps in caches."""
