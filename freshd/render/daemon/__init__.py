"""What the daemon's work looks like: status, history, validations, projects."""
