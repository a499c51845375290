"""What makes freshd faster and can be read again: hashes of tree, containers and images."""
