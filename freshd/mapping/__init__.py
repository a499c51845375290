"""Where the files of the tree land: Compose service and Dockerfile in, a map out."""
