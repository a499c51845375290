"""The text of a Dockerfile: instructions, words and variables. Pure."""
