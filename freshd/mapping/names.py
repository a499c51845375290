"""What files are called: every path of a map has one name, as seen from the project. Pure text."""

import os


class Names:
    """``project_dir`` is absolute. A file outside it is ``../x``; one inside never is."""

    def __init__(self, project_dir: str) -> None:
        self._root = project_dir

    def prefix(self, directory: str) -> str:
        """What the project-relative names of the files in it begin with."""
        relative = self.relative(directory)
        return "" if relative == "." else relative

    def named(self, prefix: str, path: str) -> str:
        """The one project-relative name of a path below ``prefix``, which may hold the project."""
        if path.startswith("../"):  # of a further build context
            return self.relative(os.path.join(self._root, prefix, path))
        if not prefix and path:
            return path
        joined = _joined(prefix, path)
        if not prefix.startswith(".."):
            return joined
        own = self.from_above(prefix)
        if own and path == own:
            return "."
        return path.removeprefix(own + "/") if own and path.startswith(own + "/") else joined

    def from_above(self, prefix: str) -> str:
        """Where the project is, as seen from a directory above it; "" from anywhere else."""
        steps = prefix.split("/")
        if set(steps) != {".."}:
            return ""
        return "/".join(self._root.split("/")[-len(steps) :])

    def relative(self, path: str) -> str:
        """An absolute path as the project knows it."""
        return os.path.relpath(path, self._root)


def _joined(prefix: str, path: str) -> str:
    if not prefix or not path:
        return path or prefix or "."
    return f"{prefix}/{path}"
