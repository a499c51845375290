"""Which of a container's settings are not the model's, and whether the model means this container.

In: a serving replica. Out: its ``ConfigSeen``. Compose is asked again only in doubt: for its own
hash of the service, and for the model as another shell would resolve it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from freshd.config.compose.desired import read_wanted
from freshd.config.compose.files import find_referenced
from freshd.config.compose.labels import find_spellings
from freshd.engine.cli.compose import ComposeFiles
from freshd.model.errors import ConfigError
from freshd.model.observed.config_drift import ENVIRONMENT, differing_keys, differing_variables
from freshd.model.observed.container import Replica
from freshd.model.observed.creation import ConfigSeen, Wanted
from freshd.model.observed.mounts.other_data import find_other_data
from freshd.model.observed.runtime import ReplicaRuntime
from freshd.observe.config.creation import Model, observe_config
from freshd.observe.config.made_from import compose_files, find_other_files
from freshd.observe.observers import ReplicaView

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*[=:]", re.MULTILINE)
_PROBE = "61834"  # a value that is no word of anybody's model, and may stand for a number or port


@dataclass(frozen=True, slots=True)
class _Source:
    """A service as some Compose files have it: ``inputs`` are all files that this comes from."""

    wanted: Wanted
    files: ComposeFiles
    inputs: Sequence[str]


@dataclass(slots=True)
class ConfigObserver:
    """Keeps Compose's version, and its hash of a service as long as the model stays."""

    _hashes: dict[tuple[object, str, tuple[str, ...]], str] = field(default_factory=dict)
    _version: str = ""

    def __call__(self, view: ReplicaView, record: ReplicaRuntime) -> ReplicaRuntime:
        """No config where the files that the container was made from make no model."""
        tools, service, replica = view.tools, view.facts.service, view.replica
        project = tools.project
        wanted, files = project.model.wanted.get(service), project.compose_files
        if wanted is None or files is None:
            return record
        source = _Source(wanted, files, project.input_files())
        other = find_other_files(tools.engine, tools.compose, project, service, replica)
        if other is not None:
            record = replace(record, made_from=other)
            if other.wanted is None:
                return record
            if other.extra or other.since < replica.created_at:
                inputs = {*other.files, *other.env_files, *find_referenced(other.files)}
                source = _Source(other.wanted, compose_files(other, files), tuple(inputs))
        return replace(record, config=self._config(view, source))

    def _config(self, view: ReplicaView, source: "_Source") -> ConfigSeen:
        tools, project, wanted = view.tools, view.tools.project, source.wanted
        model = Model(
            wanted=wanted,
            inputs=[path for path in source.inputs if path != project.policy_path],
            directory=project.dir,
            named=source.files.directory,
            stamp=tools.compose.stamp(),
            tag="" if view.facts.tag_image is None else view.facts.tag_image.id,
            mapped={p.target for p in view.facts.mapping.pairs} if wanted.contents else set(),
            label_fits=partial(self._label_fits, view, source.files, wanted),
        )
        config = observe_config(tools.engine, view.replica, model, tools.store.creation_records)
        variables, keys = differing_variables(config), differing_keys(config)
        moved = {"volumes" for _ in find_other_data(config)}
        if variables or keys or moved:
            doubtful = {*(f"{ENVIRONMENT}{name}" for name in variables), *keys, *moved}
            other = _otherwise(view, source, variables)
            varying = doubtful if other is None else doubtful.intersection(depending(wanted, other))
            config = replace(config, from_shell=frozenset(varying))
        return config

    def _label_fits(
        self, view: ReplicaView, files: ComposeFiles, wanted: Wanted, replica: Replica, made_by: str
    ) -> bool | None:
        """Whether Compose's own hash is that of the label; None where it says nothing."""
        if not replica.config_hash:
            return None
        tools, service = view.tools, view.facts.service
        files = _as_named_by(replica, files)
        state = (id(tools.project.model), service, files.files)
        if state not in self._hashes:
            self._hashes = {state: tools.compose.config_hash(files, service)}
        if self._hashes[state] == replica.config_hash:
            return True
        if not wanted.hash_holds or not self._hashes[state]:
            return None
        self._version = self._version or tools.compose.version()
        env_files = any("env_file" in _text(path) for path in files.files)
        right = hash_is_right(self._version, made_by, env_files=env_files)
        return False if right else None


def _as_named_by(replica: Replica, files: ComposeFiles) -> ComposeFiles:
    """The files by the path that the container was made by, which is part of Compose's hash."""
    used = find_spellings([replica], directory=files.directory, files=files.files)
    for directory, names in used:
        files = replace(files, directory=directory, files=names)
    return files


def _otherwise(view: ReplicaView, source: _Source, variables: Iterable[str]) -> Wanted | None:
    """The service as Compose resolves it where the shell's variables have other values.

    None where that is no model: then nothing can be told apart.
    """
    tools, inputs = view.tools, source.inputs
    named = {name for path in inputs for name in _VARIABLE.findall(_text(path))}
    dotenv = [_text(path) for path in inputs if not path.endswith((".yaml", ".yml"))]
    assigned = {name for text in dotenv for name in _ASSIGNED.findall(text)}
    free = (named | set(variables)) - assigned
    if not free:
        return source.wanted
    shell = tools.compose.with_variables(dict.fromkeys(sorted(free), _PROBE))
    try:
        return read_wanted(shell.config(replace(source.files, profiles=("*",)))).get(
            view.facts.service
        )
    except ConfigError:
        return None


def depending(wanted: Wanted, other: Wanted) -> Iterable[str]:
    """What differs between two models of one service: keys, and variables by their names."""
    names = wanted.environment.keys() | other.environment.keys()
    unequal = _unequal(wanted.environment, other.environment, names)
    yield from (f"{ENVIRONMENT}{name}" for name in unequal)
    yield from _unequal(wanted.parts, other.parts, wanted.parts.keys() | other.parts.keys())
    if wanted.image != other.image:
        yield "image"


def _unequal(
    variables: Mapping[str, str | None], other: Mapping[str, str | None], names: Iterable[str]
) -> list[str]:
    return [name for name in names if variables.get(name) != other.get(name)]


def hash_is_right(version: str, made_by: str, *, env_files: bool) -> bool:
    """Whether the hash of this Compose can be compared with a label of ``made_by``.

    From 2.22 to 5.4 the hash leaves out what an ``env_file`` brings, which the label has.
    """
    if not made_by or not version.startswith(made_by):
        return False
    if not env_files:
        return True
    numbers = [int(part) for part in re.findall(r"\d+", version)[:2]]
    return len(numbers) == 2 and not (2, 22) <= (numbers[0], numbers[1]) < (5, 5)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(4 << 20)
    except OSError:
        return ""
