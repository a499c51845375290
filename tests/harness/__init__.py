"""What the tests stand on. Nothing here imports freshd: it is used to judge it."""
