"""What may be written into a container, how it gets there, and how it is taken away."""
