"""The causes of the image link: tree against image."""

from freshd.catalog.causes.cause import Cause
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

IMAGE = (
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
        meaning="The Dockerfile, its ignore file, a lock file, a file of an earlier stage or "
        "the target is not what the image was built from. Injection cannot "
        "replay what the build made of it. Of build arguments `baked-env` tells.",
        how_known="the inputs recorded with the build against the tree's; for a build freshd did "
        "not see, the image's history against the Dockerfile, and verbatim copies of the input",
        remedy=Remedy.REBUILD,
        prevention='A rule for `build-input-changed` with `do = ["rebuild"]`.',
    ),
    Cause(
        slug="baked-env",
        link=LinkName.IMAGE,
        level=Level.STALE,
        title="A build argument has another value now than the image was built with",
        meaning="`build.args` of the Compose model are read when the image is built and never "
        "again: what a bundler or compiler put into its output (`NEXT_PUBLIC_*`, `VITE_*`, "
        "`REACT_APP_*`) stays, whatever the environment of the container says. Rules that name "
        "`build-input-changed` reach it. A variable that is only set in the environment of the "
        "container is `env-changed`, and not looked for in built output.",
        how_known="the arguments recorded with the build against the model's; for a build freshd "
        "did not see, those that a RUN shows in the image's history. Names are shown, values "
        "never",
        remedy=Remedy.REBUILD,
        prevention='A rule for `baked-env` with `do = ["rebuild"]`.',
    ),
    Cause(
        slug="derived-output-behind",
        link=LinkName.IMAGE,
        level=Level.STALE,
        title="What is made from sources is what it was before they changed",
        meaning="`derives` of the policy says that a file or directory of the image (`dist`, "
        "`.next`, a binary) is made from sources. They changed, the image was built, and the "
        "output is byte for byte the old one: it was made on the host and not anew, or a cache "
        "kept it. A build without any cache whose output is the same settles it, unless the "
        "output is copied from the tree.",
        how_known="the sources recorded with builds by freshd, and the output's hash in their "
        "images. The first build by freshd is taken for right; others, and what a mount hides, "
        "are not judged",
        remedy=Remedy.REBUILD,
        prevention='`derives = [{ from = "src", to = "/app/dist" }]` and a rule for it with '
        '`do = ["rebuild"]` and `rebuild = "no-cache"`; make what is copied before the build.',
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
        how_known="the image's files are hashed against the tree's, right after a build by freshd; "
        "of another's build, the image is younger than the file's change time, which no tool sets "
        "back, and holds other bytes of the same size",
        remedy=Remedy.REBUILD,
        prevention="`freshd rebuild SERVICE --mode fresh-context` drops the builder's copy first.",
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
        slug="cached-layer-aged",
        link=LinkName.IMAGE,
        level=Level.STALE,
        title="What the build fetched is older than the policy lets it be",
        meaning="`apt-get install`, `pip install`, `npm ci`, `git clone` and their like fetch what "
        "is there when they run. Their text is the same ever after, so every later build takes "
        "their layer from the cache, and with it what the network had then. Only told where the "
        "policy says how old that may be. Layers of the base image are not looked at.",
        how_known="the time in the image's history, which a cached layer keeps, at the lines of "
        "the Dockerfile that run such a command; for a stage that is copied from, the time of the "
        "copy. Not told where SOURCE_DATE_EPOCH sets the times",
        remedy=Remedy.REBUILD,
        prevention='`layer_age = "30d"` in the service\'s table and a rule for it with '
        '`do = ["rebuild"]`: it is rebuilt with `no-cache`.',
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
        slug="tag-contention",
        link=LinkName.IMAGE,
        level=Level.NOTE,
        title="The tag was last built by another project",
        meaning="Two projects name their images alike (`image:` beside `build:`), and the other "
        "one built last: what this one is to run was made from the other's tree. It is only told "
        "beside a finding that the image is not this tree's.",
        how_known="the project that Compose writes into the labels of an image it builds; nothing "
        "tells of a `docker build`",
        remedy=Remedy.NOTIFY,
        prevention="A tag of its own for each project, or no `image:` beside `build:`.",
    ),
    Cause(
        slug="wrong-engine",
        link=LinkName.IMAGE,
        level=Level.NOTE,
        title="The last build went to another engine than the one the containers run on",
        meaning="`docker context use` or DOCKER_CONTEXT name another engine in the shell that "
        "built: what was built is there, not here. It is only told beside a finding that the image "
        "here is not this tree's, of files that were edited before that build.",
        how_known="buildx keeps a note of each build it begins, by builder and directory; the "
        "builder's engine is compared with the one freshd speaks to. Whether the build ended well "
        "is not in the note. Builds that DOCKER_HOST alone sent elsewhere leave no such trace, nor "
        "do those of the classic builder",
        remedy=Remedy.NOTIFY,
        prevention="`docker context show` in the shell that builds; `freshd rebuild SERVICE` "
        "builds where the containers run.",
    ),
    Cause(
        slug="build-not-loaded",
        link=LinkName.IMAGE,
        level=Level.NOTE,
        title="The last build stayed in the cache of a builder, and the tag did not move",
        meaning="A builder of its own (`docker buildx create`; drivers docker-container, "
        "kubernetes, remote, cloud) keeps what it builds unless it is told to hand it on, and says "
        "so only in a warning. It is only told beside a finding that the image here is not this "
        "tree's, of files that were edited before that build.",
        how_known="buildx keeps a note of each build it begins, by builder and directory, and of "
        "each builder its driver; the note is newer than the image and its tag. Whether the build "
        "ended well is not in it",
        remedy=Remedy.NOTIFY,
        prevention="`--load` with `docker buildx build`, `docker buildx use default`, or "
        "`freshd rebuild SERVICE`.",
    ),
    Cause(
        slug="symlink-leaves-context",
        link=LinkName.IMAGE,
        level=Level.NOTE,
        title="A link that was copied leads out of the build context, and to nothing there",
        meaning="A COPY brings a link as a link. The file it leads to on this machine is outside "
        "the context and never sent to the builder: what is edited there gets into no container.",
        how_known="the link's text in the tree; what it leads to exists on this machine and does "
        "not exist in the container",
        remedy=Remedy.NOTIFY,
        prevention="Put the file into the context, or name its directory in "
        "`additional_contexts` and COPY from there.",
    ),
    Cause(
        slug="ignored-by-dockerignore",
        link=LinkName.IMAGE,
        level=Level.NOTE,
        title="An edited file never gets into the image, because an ignore rule leaves it out",
        meaning="The file is code, git tracks it and it lies below a directory that is copied; it "
        "was edited after the image was made, and a line of the ignore file keeps it out of every "
        "build. Tests and files that no program loads are not told.",
        how_known="the ignore file's own matching, which names the line; the edit is told by git's "
        "index: the content is not the one that was added last",
        remedy=Remedy.NOTIFY,
        prevention="Take the line out, or take the file back in with a `!` line behind it.",
    ),
)
