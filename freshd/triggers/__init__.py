"""What says that something may have changed: file events, engine events, time."""
