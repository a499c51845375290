"""The causes of the container link: image or tree against what the process would read."""

from freshd.catalog.causes.cause import Cause
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

_INJECT_RULE = 'Leave `freshd run` on, with a rule for it that says `do = ["inject", "restart"]`.'

CONTAINER = (
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
        slug="injection-lost",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="A file that was injected is gone again: a new container has the image's",
        meaning="freshd had written the tree's file into a container of this service. A recreate, "
        "or a further replica, made a container from an image without it. It stands in place of "
        "`content-differs` and `missing-in-container`, and rules that name those reach it.",
        how_known="the journal's injections and freshd's record of what they wrote, against the "
        "bytes in a container that was made later",
        remedy=Remedy.INJECT,
        prevention="Rebuild after a series of edits, `freshd rebuild SERVICE`: see `patched`.",
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
        slug="bind-serves-old-bytes",
        link=LinkName.CONTAINER,
        level=Level.STALE,
        title="A bind-mounted directory shows old bytes",
        meaning="The directory is mounted and a file in it is not the tree's, ten seconds and more "
        "after it was written. A desktop's file sharing serves it from a cache, or another "
        "directory took the place of the one that was mounted (a new clone, a rename): the mount "
        "holds on to the old one. It stands in place of `content-differs`, and rules that name "
        "that reach it. The file sharing of a desktop was only tried out with a recorded "
        "observation; the replaced directory is the one that was seen.",
        how_known="sha256 on both sides, looked at twice, and when the tree's file was written",
        remedy=Remedy.RESTART,
        prevention="Replace files in the directory and not the directory; on a desktop, another "
        "kind of file sharing (VirtioFS).",
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
        slug="bind-hides-image",
        link=LinkName.CONTAINER,
        level=Level.NOTE,
        title="A bind mount hides what the image built at that place",
        meaning="The image has installed packages or built output there, the mounted directory has "
        "not: the container sees neither.",
        how_known="directories of the image that go by the names of installed packages and built "
        "output (`node_modules`, `dist`, `.venv`, `vendor` and the like), at the place where a "
        "directory without them is mounted",
        remedy=Remedy.NOTIFY,
        prevention="A volume at that place (`volumes: [/app/node_modules]`), or mount only the "
        "directory of the sources.",
    ),
    Cause(
        slug="orphan-container",
        link=LinkName.CONTAINER,
        level=Level.NOTE,
        title="A container of this project runs, and nothing takes care of it",
        meaning="Its service is no longer in the Compose files it was made from, or `compose run` "
        "made it from an image that was built anew since. It goes on running its old code. What "
        "is not running is not told. One whose service is gone is told once, by the first service.",
        how_known="the labels that Compose left on it, against the model and the tag's image",
        remedy=Remedy.NOTIFY,
        prevention="`docker compose up -d --remove-orphans`; `docker compose run --rm`.",
    ),
    Cause(
        slug="wrong-project",
        link=LinkName.CONTAINER,
        level=Level.NOTE,
        title="Another clone or project serves in place of this service",
        meaning="A container of this project's name was made from another directory while this "
        "tree has none, or the service does not run and another project's container publishes "
        "its port: what answers there is not this tree's code.",
        how_known="the directory in the container's labels, and published ports",
        remedy=Remedy.NOTIFY,
        prevention="A `name:` of its own in each clone's Compose file or `.env`, and other ports.",
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
        meaning="The engine refused, the container went away, or the look took too long; or the "
        "source of one of its bind mounts is gone. The engine makes an empty directory of that "
        "name on this machine when it is asked for a file of such a container, so it is not asked.",
        how_known="the error of the observation",
        remedy=Remedy.NOTIFY,
        prevention="The finding says what was in the way; the next look tries again.",
    ),
)
