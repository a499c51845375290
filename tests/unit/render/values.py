"""Reports, maps and plans that the tests of text, JSON and verbs share."""

from freshd.model.files import Entry, Kind
from freshd.model.mapping import Pair, ServiceMap, Via
from freshd.model.plan import FileChange, Outcome, Plan, Step, StepStatus
from freshd.model.remedy import Remedy
from freshd.model.report import (
    Finding,
    Level,
    LinkName,
    LinkState,
    ProjectReport,
    ReplicaReport,
    ServiceReport,
    Verdict,
)

TREE, OLD = "a" * 64, "b" * 64
ID = "c" * 64
WHEN = 1795377600.0  # 2026-11-22T20:00:00Z

LINKS = {
    LinkName.IMAGE: LinkState.FRESH,
    LinkName.CONTAINER: LinkState.FRESH,
    LinkName.PROCESS: LinkState.UNCHECKED,
    LinkName.CONFIG: LinkState.UNCHECKED,
}
STALE_LINKS = {**LINKS, LinkName.IMAGE: LinkState.STALE, LinkName.CONTAINER: LinkState.STALE}


def differs(path: str = "app/main.py", *, container: str = "shop-web-1") -> Finding:
    """A file that the container has in an older version."""
    return Finding(
        cause="content-differs",
        level=Level.STALE,
        link=LinkName.CONTAINER,
        service="web",
        message=f"{path} in {container} is not the file in the tree",
        remedy=Remedy.INJECT,
        container=container,
        container_id=ID,
        path=path,
        target=f"/app/{path}",
        evidence={"tree": f"sha256:{TREE}", "container": f"sha256:{OLD}"},
    )


def note() -> Finding:
    """The note that makes a service patched."""
    return Finding(
        cause="image-behind",
        level=Level.NOTE,
        link=LinkName.IMAGE,
        service="web",
        message="the image is behind the tree by 30 files",
        remedy=Remedy.REBUILD,
        evidence={"paths": [f"app/{number:02}.py" for number in range(20)], "count": 30},
    )


def service(
    *findings: Finding, verdict: Verdict = Verdict.FRESH, name: str = "web", equal: int = 214
) -> ServiceReport:
    """One replica of 214 files."""
    return ServiceReport(
        name=name,
        verdict=verdict,
        patched=any(each.cause == "image-behind" for each in findings),
        links=STALE_LINKS if verdict is Verdict.STALE else LINKS,
        containers=(ReplicaReport(ID, "shop-web-1", verdict, 214, equal),),
        findings=findings,
    )


def project(*services: ServiceReport, verdict: Verdict = Verdict.FRESH) -> ProjectReport:
    return ProjectReport("shop", verdict, WHEN, services)


FRESH = project(service())
STALE = project(service(differs(), verdict=Verdict.STALE, equal=213), verdict=Verdict.STALE)
PATCHED = project(service(note()))
UNPROVED = project(service(verdict=Verdict.UNVERIFIABLE), verdict=Verdict.UNVERIFIABLE)

MAP = ServiceMap(
    service="web",
    pairs=(
        Pair("app/main.py", "/app/app/main.py", Via.COPY, why="Dockerfile:7 COPY . /app"),
        Pair("conf/a.ini", "/etc/a.ini", Via.COPY, effective=False, hidden_by="/etc"),
        Pair("static/x.css", "/srv/x.css", Via.BIND),
    ),
    inputs=("Dockerfile", "requirements.txt"),
)

INJECT = Step(
    Remedy.INJECT,
    "web",
    causes=("content-differs",),
    container="shop-web-1",
    container_id=ID,
    files=(
        FileChange(
            "/app/app/main.py", "app/main.py", Entry(Kind.FILE, TREE), Entry(Kind.FILE, OLD)
        ),
        FileChange("/app/app/gone.py", None, None, Entry(Kind.FILE, OLD)),
    ),
    rule="rule[1]",
)
PLAN = Plan("web", steps=(INJECT,), notices=((differs("scripts/x.sh"), "never allows no inject"),))
DONE = Outcome(INJECT, StepStatus.DONE, seconds=0.042)
FAILED = Outcome(
    INJECT, StepStatus.FAILED, detail="read back other bytes", seconds=2.5, output=("line 1",)
)
