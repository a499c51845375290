"""Snapshots of a service: tree, image and replicas, and what the tag's image proves of the map."""
