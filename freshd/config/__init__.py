"""What is written down: policy, user configuration and Compose files in, a ``Project`` out."""
