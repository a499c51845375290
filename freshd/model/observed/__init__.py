"""What was observed of a service: tree, image, containers, and what runs in them."""
