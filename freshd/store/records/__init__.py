"""What was seen once and cannot be read again: builds, creations, injections."""
