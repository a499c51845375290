"""A workspace made of values, as it is where no engine answers."""

from freshd.commands.workspace import Workspace
from freshd.config.locate import Located
from freshd.config.project import Project
from freshd.engine.cli.compose import Compose
from freshd.engine.transport.endpoint import Endpoint
from freshd.store import memory_store


def without_engine(located: Located, project: Project) -> Workspace:
    endpoint = Endpoint("unix:///nonexistent", "the test")
    return Workspace(
        located=located,
        project=project,
        store=memory_store(),
        locks="/nonexistent",
        endpoint=endpoint,
        compose=Compose(endpoint, {}),
        unseen=("no engine answers",),
    )
