"""freshd: knows whether the code that runs in the container is the code in the editor."""

__version__ = "0.1.0"
