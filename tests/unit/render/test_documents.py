"""The JSON of every verb has the shape the contract prints."""

import json

import pytest

from freshd.model.mapping import ServiceMap
from freshd.model.report import ProjectReport
from freshd.render import documents as report_json
from tests.unit.render.values import (
    DONE,
    FAILED,
    FRESH,
    ID,
    MAP,
    OLD,
    PATCHED,
    PLAN,
    STALE,
    TREE,
    UNPROVED,
    differs,
    project,
    service,
)


def test_check_prints_the_example_of_the_contract() -> None:
    assert report_json.project_report(STALE) == {
        "schema": 1,
        "project": "shop",
        "verdict": "stale",
        "checked_at": "2026-11-22T20:00:00Z",
        "services": [
            {
                "name": "web",
                "verdict": "stale",
                "patched": False,
                "links": {
                    "image": "stale",
                    "container": "stale",
                    "process": "unchecked",
                    "config": "unchecked",
                },
                "containers": [
                    {
                        "id": ID,
                        "name": "shop-web-1",
                        "verdict": "stale",
                        "compared": 214,
                        "equal": 213,
                    }
                ],
                "findings": [
                    {
                        "cause": "content-differs",
                        "level": "stale",
                        "link": "container",
                        "container": "shop-web-1",
                        "path": "app/main.py",
                        "target": "/app/app/main.py",
                        "remedy": "inject",
                        "message": "app/main.py in shop-web-1 is not the file in the tree",
                        "evidence": {"tree": f"sha256:{TREE}", "container": f"sha256:{OLD}"},
                    }
                ],
            }
        ],
    }


def test_map_lists_the_data_of_services() -> None:
    value = ServiceMap("web", data={"db/base": "data of db"})
    assert report_json.service_maps([value]) == {
        "schema": 1,
        "services": [
            {"name": "web", "pairs": [], "inputs": [], "data": {"db/base": "data of db"}},
        ],
    }


def test_map_lists_every_pair_and_the_inputs() -> None:
    assert report_json.service_maps([MAP]) == {
        "schema": 1,
        "services": [
            {
                "name": "web",
                "pairs": [
                    {
                        "source": "app/main.py",
                        "target": "/app/app/main.py",
                        "via": "copy",
                        "effective": True,
                    },
                    {
                        "source": "conf/a.ini",
                        "target": "/etc/a.ini",
                        "via": "copy",
                        "effective": False,
                    },
                    {
                        "source": "static/x.css",
                        "target": "/srv/x.css",
                        "via": "bind",
                        "effective": True,
                    },
                ],
                "inputs": ["Dockerfile", "requirements.txt"],
            }
        ],
    }


def test_a_plan_says_cause_rule_and_what_each_file_becomes() -> None:
    document = json.loads(report_json.dumps(report_json.plans("shop", [PLAN])))
    (step,) = document["plans"][0]["steps"]
    assert (step["remedy"], step["causes"], step["rule"]) == (
        "inject",
        ["content-differs"],
        "rule[1]",
    )
    assert [(each["action"], each["tree"], each["container"]) for each in step["files"]] == [
        ("write", f"sha256:{TREE}", f"sha256:{OLD}"),
        ("delete", None, f"sha256:{OLD}"),
    ]
    assert document["plans"][0]["notices"][0]["why"] == "never allows no inject"


def test_apply_prints_plan_outcomes_and_the_look_after() -> None:
    document = report_json.applied([PLAN], [DONE, FAILED], STALE)
    outcomes = json.loads(report_json.dumps(document))["outcomes"]
    assert [each["status"] for each in outcomes] == ["done", "failed"]
    assert outcomes[1]["detail"] == "read back other bytes"
    assert document["verdict"] == "stale"
    assert document["report"] == report_json.project_report(STALE)


def test_a_name_that_is_not_utf8_is_a_lone_surrogate_in_ascii() -> None:
    text = report_json.dumps(report_json.project_report(project(service(differs("caf\udce9.py")))))
    assert text.isascii()
    assert '"caf\\udce9.py"' in text
    assert json.loads(text)["services"][0]["findings"][0]["path"] == "caf\udce9.py"


@pytest.mark.parametrize("report", [FRESH, STALE, PATCHED, UNPROVED])
def test_a_stored_service_report_comes_back_as_it_was(report: ProjectReport) -> None:
    for each in report.services:
        stored = json.loads(report_json.dumps(report_json.service_report(each)))
        assert report_json.service_report_from(stored) == each


@pytest.mark.parametrize("missing", ["name", "verdict", "links", "containers", "findings"])
def test_a_stored_report_of_another_shape_is_refused(missing: str) -> None:
    stored = report_json.service_report(STALE.services[0])
    del stored[missing]
    with pytest.raises((KeyError, TypeError, ValueError)):
        report_json.service_report_from(stored)
