"""The config link: how a container was made, and how the model would make it now."""
