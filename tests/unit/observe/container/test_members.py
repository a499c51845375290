"""Containers are sorted out by service, one-offs and clones apart."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from freshd.model.observed.container import Replica
from freshd.observe.container.members import is_ours, sort_out


def replica(name: str, **fields: Any) -> Replica:
    made = Replica(id=name * 8, name=name, service="web", project="shop")
    return replace(made, **fields)


def test_services_have_their_replicas_in_number_order_and_one_offs_apart() -> None:
    found = [
        replica("web-10", number=10),
        replica("web-2", number=2),
        replica("web-run", oneoff=True),
        replica("db-1", service="db"),
        replica("old-1", service="removed"),
    ]
    sorted_out = sort_out(found, ["web", "db", "never-created"], directory="/p")
    names = {service: [r.name for r in list_] for service, list_ in sorted_out.services.items()}
    assert names == {"web": ["web-2", "web-10"], "db": ["db-1"], "never-created": []}
    assert [each.name for each in sorted_out.one_offs] == ["web-run"]


def test_only_what_compose_numbers_is_a_replica_and_what_it_would_count_is_told() -> None:
    found = [
        replica("shop-web-1"),
        replica("hook", numbered=False, counted=False),
        replica("labelled", numbered=False),
        replica("web-run", oneoff=True, counted=False),
        replica("shop_web_2", number=2),
        replica("committed", number=2),
    ]
    sorted_out = sort_out(found, ["web"], directory="/p")
    assert [each.name for each in sorted_out.services["web"]] == ["shop-web-1", "shop_web_2"]
    assert {each.name for each in sorted_out.mistaken} == {"labelled", "committed"}


def test_two_of_one_number_are_both_replicas_where_no_name_tells_them_apart() -> None:
    found = [replica("a"), replica("b")]
    assert len(sort_out(found, ["web"], directory="/p").services["web"]) == 2


def test_a_clone_with_the_same_project_name_is_foreign() -> None:
    mine = replica("mine", working_dir="/p", config_files=("/p/compose.yaml",))
    clone = replica("clone", working_dir="/q", config_files=("/q/compose.yaml",))
    sorted_out = sort_out([mine, clone], ["web"], directory="/p", files=["/p/compose.yaml"])
    assert sorted_out.services["web"] == (mine,)
    assert sorted_out.foreign == (clone,)


def test_the_compose_file_names_the_project_where_the_directory_differs() -> None:
    made = replica("mine", working_dir="/elsewhere", config_files=("/p/compose.yaml",))
    assert is_ours(made, directory="/p", files=["/p/compose.yaml"])
    assert not is_ours(made, directory="/p", files=["/p/other.yaml"])


def test_a_container_without_labels_is_ours() -> None:
    assert is_ours(replica("bare"), directory="/p")


def test_a_link_to_the_project_directory_is_the_project_directory(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    os.symlink(real, link)
    assert is_ours(replica("web", working_dir=str(link)), directory=str(real))
