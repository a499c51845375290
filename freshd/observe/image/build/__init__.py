"""What is known of a build that freshd did not make, beyond what its image shows."""
