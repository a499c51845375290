"""Compose files and the model Compose makes of them: paths and JSON in, values out."""
