"""What is known by heart, as tables: causes of stale code, how programs take up new code. Pure."""
