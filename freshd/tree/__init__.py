"""The working tree: walked, hashed, listed, with what git and the builder leave out of it."""
