"""The causes of the process link: the container's files against what runs."""

from freshd.catalog.causes.cause import Cause
from freshd.model.remedy import Remedy
from freshd.model.report import Level, LinkName

_RESTART_RULE = 'A rule for it with `do = ["restart"]`, or a server that reloads by itself.'

PROCESS = (
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
        slug="opcode-cache",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="PHP keeps what it compiled, and was told never to look at its scripts again",
        meaning="`opcache.validate_timestamps=0` is right for production and wrong where scripts "
        "are edited: what was compiled once is served until PHP starts again, whatever the files "
        "say. With it on, PHP looks again after `opcache.revalidate_freq` seconds, and nothing is "
        "told. Scripts that `opcache.preload` names are not told apart.",
        how_known="PHP's ini files, pools of FPM and command line, as they are now; the start of "
        "its first process against the moment the newest script landed",
        remedy=Remedy.RESTART,
        prevention="`opcache.validate_timestamps=1` on workstations, or a rule with "
        '`do = ["inject", "restart"]` for scripts.',
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
        slug="foreign-bytecode",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="Bytecode of another machine is used in place of its source, and is not its own",
        meaning="A `__pycache__` was copied in from the host or from another image. Its headers "
        "fit the sources, so that Python uses it, and it was compiled from other bytes. Bytecode "
        "from elsewhere that is right, or that Python does not look at, is no finding. It stands "
        "in place of `stale-bytecode` and `unchecked-bytecode`.",
        how_known="as those two are, and the source that the bytecode says it was compiled from, "
        "which is nowhere in the container",
        remedy=Remedy.PURGE,
        prevention="`**/__pycache__` in `.dockerignore`.",
    ),
    Cause(
        slug="installed-copy-shadows",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="An installed copy of a package is imported, and not its sources",
        meaning="The image was built with `pip install .`, which copies the package among the "
        "installed ones. The sources that are copied or mounted as well are changed, and nothing "
        "imports them. It is not told where the program may import them all the same: from its "
        "working directory, from `PYTHONPATH`, or from a directory on its command line.",
        how_known="the `direct_url.json` of a package that was installed from a directory, not "
        "editable, and bytes that differ",
        remedy=Remedy.REBUILD,
        prevention="`pip install --editable .` in development.",
    ),
    Cause(
        slug="upstream-moved",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="A proxy forwards to where a service was before it was made anew",
        meaning="nginx, HAProxy, Varnish and Squid look up the name of a service once, when they "
        "start. The service's container was made anew since and got another address: the proxy "
        "answers 502, or hands the request to whoever has the old address. It is told where freshd "
        "had seen the addresses before, and not where the configuration names a `resolver`.",
        how_known="names of services in the proxy's mapped configuration; addresses that freshd "
        "saw after the proxy's start against those of now; start times of its processes",
        remedy=Remedy.RESTART,
        prevention="A `resolver 127.0.0.11` with a variable in `proxy_pass`, or a rule for it "
        'with `do = ["restart"]`.',
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
    Cause(
        slug="probe-failed",
        link=LinkName.PROCESS,
        level=Level.STALE,
        title="A probe of the policy does not get the answer it should",
        meaning="`[[service.X.probe]]` asks a running service something that the project knows "
        "the answer of: whether the database is at the newest migration, how many rows there are, "
        "what an address says. Files may be fresh and what they work on old. Where the question "
        "could not be put at all, as there is no such command in the container, this is "
        "`unverifiable`.",
        how_known="the command is run in the container, or the address requested from this "
        "machine; a service that has just started is asked until the probe's timeout",
        remedy=Remedy.NOTIFY,
        prevention="Let the entrypoint do what the probe asks for, such as run migrations.",
    ),
    Cause(
        slug="known-log-signature",
        link=LinkName.PROCESS,
        level=Level.NOTE,
        title="The log has a line that is known to come of old code or old surroundings",
        meaning="A table or column that does not exist, a library or module that is missing, a "
        "name that cannot be imported, a port that is taken: the message says what that means as "
        "a rule and what helps. It is a note, as a log may tell of what is over.",
        how_known="the last 200 lines since the container was started, where its logging driver "
        "lets them be read",
        remedy=Remedy.NOTIFY,
        prevention="Mend the cause; the note goes with the next start, or as the log goes on.",
    ),
)
