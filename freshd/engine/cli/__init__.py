"""The docker command: Compose, buildx, versions. argv arrays in, values and lines out."""
