"""What the daemon did and does, as text and JSON: status, history, validations, projects."""
