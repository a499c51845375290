"""The causes this version knows: a slug in, what it means and what helps out.

``docs/causes.md`` is ``as_markdown()``; a unit test keeps the two equal.
"""

from dataclasses import dataclass

from freshd.model import Level, LinkName, Remedy


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason why a container runs other code than the tree's.

    ``level`` is the usual one; a finding may be milder (``image-behind`` of a patched service is a
    note). ``remedy`` is a suggestion: the policy decides. ``prevention`` says how to avoid it.
    """

    slug: str
    link: LinkName
    level: Level
    title: str
    meaning: str
    how_known: str
    remedy: Remedy
    prevention: str


_INJECT_RULE = 'Leave `freshd run` on, with a rule for it that says `do = ["inject", "restart"]`.'

_IMAGE = (
    Cause(
        slug="image-behind",
        link=LinkName.IMAGE,
        level=Level.STALE,
        title="The image holds older files than the tree",
        meaning="A file that a COPY or ADD lands in the final stage differs in the image, is "
        "missing there, or is left over from a file that has left the tree. The next container "
        "made from this image runs the old code. It is a note, and the service is patched, when "
        "every running replica holds the tree's files already.",
        how_known="sha256 of the image's files against the tree's, through the mapping",
        remedy=Remedy.REBUILD,
        prevention="Rebuild after a series of edits: `freshd rebuild SERVICE`.",
    ),
    Cause(
        slug="build-input-changed",
        link=LinkName.IMAGE,
        level=Level.STALE,
        title="Something the build consumes has changed since the build",
        meaning="The Dockerfile, its ignore file, a lock file, a file of an earlier stage, the "
        "target or a build argument is not what the image was built from. Injection cannot "
        "replay what the build made of it.",
        how_known="the inputs recorded with the build against the tree's; for a build freshd did "
        "not see, the image's history against the Dockerfile, and verbatim copies of the input",
        remedy=Remedy.REBUILD,
        prevention='A rule for `build-input-changed` with `do = ["rebuild"]`.',
    ),
    Cause(
        slug="build-unrecorded",
        link=LinkName.IMAGE,
        level=Level.UNVERIFIABLE,
        title="The image's build cannot be judged from what it left behind",
        meaning="freshd did not see the build, and some of its inputs leave no trace in the "
        "image, or a part of the Dockerfile could not be followed. The image may be right; there "
        "is no proof.",
        how_known="inputs without a verbatim copy in the image, and no build record for this "
        "image id",
        remedy=Remedy.REBUILD,
        prevention="Build once through freshd (`freshd rebuild SERVICE`): it records the inputs.",
    ),
    Cause(
        slug="stale-build-context",
        link=LinkName.IMAGE,
        level=Level.STALE,
        title="The image was built after the edit and still holds the old bytes",
        meaning="The builder took a file for unchanged because its size and modification time are "
        "those it knew, and used its old copy, even without the layer cache.",
        how_known="the image's files are hashed against the tree's right after a build",
        remedy=Remedy.REBUILD,
        prevention="`freshd rebuild SERVICE --mode fresh-context` drops the builder's copy first.",
    ),
)

_CONTAINER = (
    Cause(
        slug="content-differs",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="A file in the container is not the file in the tree",
        meaning="The container still has what its image brought, or what freshd wrote last, and "
        "the tree has moved on. Under a bind mount: the mount still shows an earlier file.",
        how_known="sha256 on both sides",
        remedy=Remedy.INJECT,
        prevention=_INJECT_RULE,
    ),
    Cause(
        slug="missing-in-container",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="A file of the tree is missing in the container",
        meaning="It was added to the tree after the image was built or the container was made.",
        how_known="the mapped path does not exist in the container",
        remedy=Remedy.INJECT,
        prevention=_INJECT_RULE,
    ),
    Cause(
        slug="extra-in-container",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="A file in the container has left the tree",
        meaning="A COPY brought it, or freshd wrote it, and its source was deleted or renamed. "
        "It can still be imported. Files that the build or the program made are not extra.",
        how_known="the layer that wrote it is a COPY of this Dockerfile, or freshd's own record",
        remedy=Remedy.INJECT,
        prevention="A rule that names `extra-in-container`: nothing else deletes.",
    ),
    Cause(
        slug="mode-differs",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="A file is executable on one side only",
        meaning="The bytes are equal; the executable bit is not.",
        how_known="the owner's executable bit on both sides, after `--chmod`",
        remedy=Remedy.INJECT,
        prevention=_INJECT_RULE,
    ),
    Cause(
        slug="changed-in-container",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="A file was changed in the container, and not by freshd",
        meaning="It is neither the tree's, nor the image's, nor what freshd wrote last: a hot "
        "patch, a `docker cp`, or the program itself. Only a rule that names this cause may "
        "overwrite it.",
        how_known="three-way comparison of tree, image and container, and freshd's own record",
        remedy=Remedy.NOTIFY,
        prevention="Ignore files that the program rewrites: `ignore` in the service's table.",
    ),
    Cause(
        slug="old-image",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="The container runs another image than its tag names now",
        meaning="The image was built again, or pulled, and the container was not made anew.",
        how_known="the container's image id against the id its tag names",
        remedy=Remedy.RECREATE,
        prevention='A rule for `old-image` with `do = ["recreate"]`.',
    ),
    Cause(
        slug="patched",
        link=LinkName.CONTAINER,
        level=Level.NOTE,
        title="The container is fresh and its image is not",
        meaning="Every running replica holds the tree's files; the image does not. A recreate "
        "brings the old files back until they are injected again.",
        how_known="tree, image and container compared three ways",
        remedy=Remedy.REBUILD,
        prevention="Rebuild after a series of edits: `freshd rebuild SERVICE`.",
    ),
    Cause(
        slug="target-not-writable",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="The file differs, and nothing can be injected there",
        meaning="The path lies on a tmpfs, on a read-only root file system or on a read-only "
        "mount. It is a note where a mount has hidden an unchanged file from the start.",
        how_known="the container's mounts and host configuration",
        remedy=Remedy.RECREATE,
        prevention="Bind-mount the sources, or rebuild and recreate.",
    ),
    Cause(
        slug="not-running",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="The container is not running",
        meaning="It ended with an error, is paused, restarts again and again, or was created and "
        "never started. A job that exited 0 is not reported.",
        how_known="the container's state and exit code",
        remedy=Remedy.NOTIFY,
        prevention="Read its log: `docker logs CONTAINER`.",
    ),
    Cause(
        slug="unreadable",
        link=LinkName.CONTAINER,
        level=Level.UNVERIFIABLE,
        title="A path exists and could not be read",
        meaning="Its content is unknown in the tree, in the image or in the container, so nothing "
        "is said about it, and nothing is deleted because of it.",
        how_known="the error of the read",
        remedy=Remedy.NOTIFY,
        prevention="Make it readable for the user freshd runs as, or ignore it.",
    ),
    Cause(
        slug="not-observed",
        link=LinkName.CONTAINER,
        level=Level.UNVERIFIABLE,
        title="The container's files could not be looked at",
        meaning="The engine refused, the container went away, or the look took too long.",
        how_known="the error of the observation",
        remedy=Remedy.NOTIFY,
        prevention="The finding says what was in the way; the next look tries again.",
    ),
)

_PROCESS = (
    Cause(
        slug="restart-due",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="A file that asks for a restart has changed since the process started",
        meaning="A `develop.watch` rule with the action `restart` names the file. The process "
        "read it at its start, if at all, and has not been started since. Only files under such "
        "a rule are looked at; of the rest of the process link nothing is known.",
        how_known="when the file changed against when the container was started; in a running "
        "daemon also its content, so that a file that only was touched asks for nothing",
        remedy=Remedy.RESTART,
        prevention="Leave `freshd run` on: it restarts what the rule names.",
    ),
)

CAUSES: dict[str, Cause] = {cause.slug: cause for cause in (*_IMAGE, *_CONTAINER, *_PROCESS)}
"""Every cause by its slug, image first."""


def as_markdown() -> str:
    """The text of ``docs/causes.md``."""
    parts = [
        "# Causes",
        "",
        "Every way this version knows in which a container can run other code than the tree's.",
        "`freshd explain SLUG` prints one of them.",
    ]
    for link in LinkName:
        causes = [cause for cause in CAUSES.values() if cause.link is link]
        if causes:
            parts += ["", f"## The {link} link"]
        for cause in causes:
            parts += ["", *_section(cause)]
    return "\n".join(parts) + "\n"


def _section(cause: Cause) -> list[str]:
    return [
        f"### {cause.slug}",
        "",
        f"**{cause.title}.** {cause.meaning}",
        "",
        f"- level: {cause.level}",
        f"- known by: {cause.how_known}",
        f"- suggested: {cause.remedy}",
        f"- to avoid it: {cause.prevention}",
    ]
