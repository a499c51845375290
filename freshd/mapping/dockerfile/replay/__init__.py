"""What each instruction does to the file system of its stage. Pure."""
