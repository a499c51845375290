"""The identity of a build: equal for equal inputs, another for anything else."""

from hypothesis import given
from hypothesis import strategies as st

from freshd.model.observed.build_label import LABEL, carried, identity

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
VALUES = st.dictionaries(NAMES, NAMES, max_size=4)


@given(VALUES, VALUES, VALUES, VALUES)
def test_two_builds_have_one_identity_if_and_only_if_they_were_made_of_the_same(
    inputs: dict[str, str], args: dict[str, str], more: dict[str, str], others: dict[str, str]
) -> None:
    same = inputs == more and args == others
    assert (identity(inputs, args) == identity(more, others)) is same
    assert identity(dict(reversed(inputs.items())), args) == identity(inputs, args)


def test_names_that_are_not_utf_8_count_too() -> None:
    assert identity({"a\udcff": "1"}, {}) != identity({"a\udcfe": "1"}, {})


def test_only_a_label_of_this_scheme_is_believed() -> None:
    label = identity({"a": "1"}, {})
    assert carried({LABEL: label}) == label
    for other in ("", "v0:" + "0" * 64, "v1:short", label + "0", f"{label}\n"):
        assert carried({LABEL: other}) == ""
    assert carried({}) == ""
