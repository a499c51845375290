"""Names of files: a path in, its one name as seen from the project out. Pure text."""

import os


class Names:
    """``project_dir`` is absolute. A file outside it is ``../x``; one inside never is."""

    def __init__(self, project_dir: str) -> None:
        self._root = project_dir

    def find_prefix(self, directory: str) -> str:
        """What the project-relative names of the files in it begin with."""
        relative = self.relativize(directory)
        return "" if relative == "." else relative

    def qualify(self, prefix: str, path: str) -> str:
        """The one project-relative name of a path below ``prefix``, which may hold the project."""
        if path.startswith("../"):  # of a further build context
            return self.relativize(os.path.join(self._root, prefix, path))
        if not prefix and path:
            return path
        joined = _join(prefix, path)
        if not prefix.startswith(".."):
            return joined
        own = self.find_project(prefix)
        if own and path == own:
            return "."
        return path.removeprefix(own + "/") if own and path.startswith(own + "/") else joined

    def find_project(self, prefix: str) -> str:
        """Where the project is, as seen from a directory above it; "" from anywhere else."""
        steps = prefix.split("/")
        if set(steps) != {".."}:
            return ""
        return "/".join(self._root.split("/")[-len(steps) :])

    def relativize(self, path: str) -> str:
        """An absolute path as seen from the project."""
        return os.path.relpath(path, self._root)


def _join(prefix: str, path: str) -> str:
    if not prefix or not path:
        return path or prefix or "."
    return f"{prefix}/{path}"
