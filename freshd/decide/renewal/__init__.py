"""What stops new containers for a service: what they would cost."""
