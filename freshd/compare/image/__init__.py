"""The image link: what the image holds and was built from, against the tree."""
