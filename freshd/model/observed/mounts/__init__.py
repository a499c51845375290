"""What the mounts of a container show, and would show in a new one."""
