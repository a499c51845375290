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
        slug="single-file-bind-detached",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="A file that is mounted alone still is the one that was replaced",
        meaning="Editors and git save by putting a new file in place of the old one. A bind mount "
        "of that one file holds on to the old one until the container is started again.",
        how_known="the bytes differ although the file is bind-mounted by itself",
        remedy=Remedy.RESTART,
        prevention="Mount the directory it is in.",
    ),
    Cause(
        slug="volume-shadows-image",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="A named volume hides what the image brings",
        meaning="The engine fills a volume from the image once, when it is empty. A rebuilt image "
        "brings new files, and the volume goes on showing the old ones, or what the program wrote "
        "there.",
        how_known="the image has the tree's file, or another lock file of its packages, and the "
        "volume at that place has not",
        remedy=Remedy.NOTIFY,
        prevention="Mount volumes where only data is. To renew this one, and nothing else, save "
        "what is yours in it, stop the service, `docker volume rm` it, and bring it up again; "
        "never `down -v`.",
    ),
    Cause(
        slug="anonymous-volume-kept",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="An anonymous volume was carried over and hides what the new image brings",
        meaning="Compose hands the anonymous volumes of a container on to the one that takes its "
        "place: `node_modules` and the like stay as the first image had them.",
        how_known="the image has the tree's file, or another lock file of its packages, and the "
        "volume, which has no name, has not",
        remedy=Remedy.NOTIFY,
        prevention="`docker compose up --renew-anon-volumes SERVICE` after its packages changed.",
    ),
    Cause(
        slug="inner-mount-shadows",
        link=LinkName.CONTAINER,
        level=Level.NOTE,
        title="A mount inside a bind mount hides files of the tree",
        meaning="The tree is mounted, and another mount lies over a part of it: what is edited "
        "there never shows in the container.",
        how_known="the container's mounts, one inside the other, and files of the tree there",
        remedy=Remedy.NOTIFY,
        prevention="Leave the inner mount out, or tell git to ignore what is there.",
    ),
    Cause(
        slug="replica-mismatch",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="The replicas of a service were not made from one image",
        meaning="Answers depend on which replica is asked. The tag names none of their images any "
        "more, so that the newest container is taken for the right one.",
        how_known="the image ids of the running replicas",
        remedy=Remedy.RECREATE,
        prevention="`docker compose up -d` without `--no-recreate`.",
    ),
    Cause(
        slug="unhealthy",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="The container runs, and its health check fails",
        meaning="The code may be right and is not serving.",
        how_known="the container's health as the engine has it",
        remedy=Remedy.NOTIFY,
        prevention="Read its log: `docker logs CONTAINER`.",
    ),
    Cause(
        slug="restart-looping",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="The container ends and is started again, over and over",
        meaning="Its program does not stay up: often an import, a migration or a missing setting.",
        how_known="the container's state",
        remedy=Remedy.NOTIFY,
        prevention="Read its log: `docker logs CONTAINER`.",
    ),
    Cause(
        slug="base-image-behind",
        link=LinkName.IMAGE,
        level=Level.STALE,
        title="The image stands on an earlier base image than its tag names now",
        meaning="The base image was built again or pulled. An image keeps the layers it was built "
        "on until it is built anew.",
        how_known="the layers of the image that the last FROM names, which must be the lowest of "
        "the image's own",
        remedy=Remedy.REBUILD,
        prevention='A rule for `base-image-behind` with `do = ["rebuild"]`.',
    ),
    Cause(
        slug="forbidden-in-image",
        link=LinkName.IMAGE,
        level=Level.NOTE,
        title="The image holds files that the policy never injects",
        meaning="A COPY brings files that `[never] inject` names: they were not meant for the "
        "container, and every image has them.",
        how_known="the image's files, and the patterns of the policy",
        remedy=Remedy.NOTIFY,
        prevention="Name them in `.dockerignore`.",
    ),
    Cause(
        slug="not-running",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="The container is not running",
        meaning="It ended with an error, is paused, or was created and never "
        "started. A job that exited 0 is not reported.",
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

_RESTART_RULE = 'A rule for it with `do = ["restart"]`, or a server that reloads by itself.'

_PROCESS = (
    Cause(
        slug="process-older-than-code",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="The process was started before the code it runs landed",
        meaning="The bytes in the container are new, and the program read them once, when it "
        "started: it still runs the old ones. Workers of a server that was reloaded count by their "
        "own start. A file that was only touched, moved in ownership or brought back is no new "
        "code, nor are tests. It is unverifiable where both happened within one second, "
        "or where a copy kept its old time and freshd has no record of it. Whether a program "
        "ever imports the file cannot be seen from outside.",
        how_known="start times of the container's processes, as the engine's own `ps` has them, "
        "against the time the file landed: freshd's record, the inode, or the bind-mounted file",
        remedy=Remedy.RESTART,
        prevention=_RESTART_RULE,
    ),
    Cause(
        slug="partial-reload",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="Some workers run the new code and some the old",
        meaning="Answers depend on which worker is asked: some of them were started after the code "
        "landed, others before.",
        how_known="start times of the workers, one by one, against the time the code landed",
        remedy=Remedy.RESTART,
        prevention=_RESTART_RULE,
    ),
    Cause(
        slug="preloaded-master",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="New workers run old code, because their master had loaded it",
        meaning="The server preloads its code (`gunicorn --preload`): a worker is a copy of the "
        "master, with the code as it was when that started. A reload signal changes nothing.",
        how_known="the master's command line and start time, against the time the code landed",
        remedy=Remedy.RESTART,
        prevention="Leave `--preload` out while developing, or let a rule restart the container.",
    ),
    Cause(
        slug="reloader-deaf",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="A reloader is running, and did not notice the new code",
        meaning="The program is started by a reloader, the bytes are new, and after ten seconds "
        "nothing was started anew. Often file events do not reach the container (a desktop's file "
        "sharing), or the file lies where the reloader does not look.",
        how_known="the command line, and start times of what the reloader started, against the "
        "time the code landed",
        remedy=Remedy.RESTART,
        prevention="Let it poll (`WATCHFILES_FORCE_POLLING=true`, `CHOKIDAR_USEPOLLING=1`), or "
        "name the directory to it.",
    ),
    Cause(
        slug="stale-bytecode",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="Bytecode passes for that of its source, and was compiled from other bytes",
        meaning="Python compares the time in whole seconds and the size, and nothing else. A file "
        "that was replaced by one of equal size and equal time keeps its old bytecode, and even a "
        "new process runs the old code.",
        how_known="the header of the `.pyc` against its source; where the source's inode is newer, "
        "the image's own interpreter compiles it and compares",
        remedy=Remedy.PURGE,
        prevention='`purge = ["__pycache__/"]` for the service, and a rule with '
        '`do = ["purge", "restart"]`; `PYTHONDONTWRITEBYTECODE=1` in the image.',
    ),
    Cause(
        slug="unchecked-bytecode",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="Bytecode that never looks at its source is not that of its source",
        meaning="The `.pyc` was made with `--invalidation-mode unchecked-hash`: Python uses it "
        "whatever becomes of the source, and no restart changes that.",
        how_known="the flags in the header of the `.pyc`, and the hash in it against the source's",
        remedy=Remedy.PURGE,
        prevention="Compile with `checked-hash`, or only in the image for production.",
    ),
    Cause(
        slug="orphan-bytecode",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="A module that has left the tree can still be imported from its bytecode",
        meaning="A `.pyc` beside the sources, and not in `__pycache__`, is importable without its "
        "source. The module was deleted and still works.",
        how_known="a `.pyc` for this interpreter that was compiled at that place, with no source "
        "beside it, in a directory of mapped sources",
        remedy=Remedy.PURGE,
        prevention='`purge = ["*.pyc"]` for the service.',
    ),
    Cause(
        slug="restart-due",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="A file that asks for a restart has changed since the process started",
        meaning="A `develop.watch` rule with the action `restart` names the file. The process "
        "read it at its start, if at all, and has not been started since. Of code that "
        "no such rule names, `process-older-than-code` tells.",
        how_known="when the file changed against when the container was started; in a running "
        "daemon also its content, so that a file that only was touched asks for nothing",
        remedy=Remedy.RESTART,
        prevention="Leave `freshd run` on: it restarts what the rule names.",
    ),
)

_CONFIG = (
    Cause(
        slug="env-changed",
        link=LinkName.CONFIG,
        level=Level.STALE,
        title="The environment in the container is not the one the Compose model gives now",
        meaning="A variable was changed, added or removed in `environment`, in an `env_file` or "
        "in `.env` after the container was made. A restart does not read any of them again: only "
        "a new container does. It is a note where the value comes from the environment of the "
        "shell alone: the container may have been made from another shell.",
        how_known="`docker compose config` against the environment the container was made with; "
        "names are shown, values only as keyed hashes",
        remedy=Remedy.RECREATE,
        prevention='A rule for `env-changed` with `do = ["recreate"]`.',
    ),
    Cause(
        slug="compose-changed",
        link=LinkName.CONFIG,
        level=Level.STALE,
        title="The container was made from an earlier version of the Compose model",
        meaning="Command, ports, mounts, networks or another key of the service was changed after "
        "the container was made, and neither a restart nor a new image brings it in. It is a note "
        "where the change comes from the environment of the shell alone, or where only the hash "
        "that Compose left on the container tells of it.",
        how_known="`docker compose config` against what the container was made with, and against "
        "freshd's own record of the model at that time; Compose's hash is only taken as a hint",
        remedy=Remedy.RECREATE,
        prevention='A rule for `compose-changed` with `do = ["recreate"]`.',
    ),
    Cause(
        slug="config-content-changed",
        link=LinkName.CONFIG,
        level=Level.STALE,
        title="A config or secret in the container has other content than the model's",
        meaning="The content of an entry of `configs` or `secrets` was changed. It is no part of "
        "what Compose compares, so that even `docker compose up` leaves the container as it is; "
        "and where it is a file, the mount still shows the one that was there at the start.",
        how_known="the hash of the content in the model against that of the file in the container",
        remedy=Remedy.RECREATE,
        prevention='A rule for `config-content-changed` with `do = ["recreate"]`; by hand, '
        "`docker compose up --force-recreate SERVICE`.",
    ),
)

CAUSES: dict[str, Cause] = {
    cause.slug: cause for cause in (*_IMAGE, *_CONTAINER, *_PROCESS, *_CONFIG)
}
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
