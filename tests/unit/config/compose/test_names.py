"""How Compose joins names, told by the containers it made."""

import pytest

from freshd.config.compose.names import default_image, find_underscored, is_true
from freshd.model.observed.container import Replica


def replica(name: str, service: str = "web", **more: object) -> Replica:
    return Replica(id=name, name=name, service=service, project="shop", **more)  # type: ignore[arg-type]


def test_the_names_of_the_containers_decide_service_by_service() -> None:
    found = [replica("shop_web_1"), replica("shop-db-1", "db"), replica("shop_a_b_2", "a_b")]
    assert find_underscored("shop", found, frozenset()) == {"web", "a_b"}


def test_a_service_with_both_is_on_its_way_to_the_new_names() -> None:
    found = [replica("shop_web_1"), replica("shop-web-2"), replica("shop_web_3")]
    assert find_underscored("shop", found, frozenset({"web"})) == frozenset()


@pytest.mark.parametrize(
    "one",
    [
        replica("web"),
        replica("0123456789ab_shop_web_1"),
        replica("shop_web_run_12ab", oneoff=True),
        replica("shop_web_1", oneoff=True),
        Replica(id="1", name="other_web_1", service="web", project="other"),
    ],
)
def test_other_names_tell_nothing(one: Replica) -> None:
    assert find_underscored("shop", [one], frozenset()) == frozenset()
    assert find_underscored("shop", [one], frozenset({"web", "db"})) == {"web", "db"}


def test_the_image_has_the_same_joint() -> None:
    assert default_image("shop", "web", underscores=True) == "shop_web"
    assert default_image("shop", "web", underscores=False) == "shop-web"


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("True", True), ("no", False)])
def test_what_compose_takes_for_a_yes(value: str, meant: bool) -> None:
    assert is_true(value) is meant
    assert not is_true(None)
