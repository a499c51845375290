"""Questions about paths in a container. Pure."""


def is_below(path: str, directory: str) -> bool:
    """Whether ``path`` is ``directory`` or something in it; both absolute."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")
