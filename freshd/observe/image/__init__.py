"""The image link: what an image holds, which layer wrote it, what it was built from."""
