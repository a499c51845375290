"""Commands that ask a network, and the lines of a Dockerfile that depend on them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshd.mapping.dockerfile.fetching import command_that_fetches
from freshd.mapping.dockerfile.infer import infer


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("apt-get update && apt-get install -y curl", "apt-get update"),
        ("set -eux; \\\n  apt-get install \\\n -y git", "apt-get install"),
        ("DEBIAN_FRONTEND=noninteractive apt-get -y -qq install git", "apt-get install"),
        ("/usr/local/bin/pip install -r requirements.txt", "pip install"),
        ("python3.12 -m pip install --upgrade pip", "pip install"),
        ("python -m venv /venv && /venv/bin/pip install .", "pip install"),
        ("npm --prefix web ci", "npm ci"),
        ("corepack enable; yarn", "yarn"),
        ("yarn install --frozen-lockfile", "yarn install"),
        ("yarn build", ""),
        ("npm run build", ""),
        ("git clone --depth 1 https://host/repository /src", "git clone"),
        ("git -C /src pull", "git pull"),
        ("git describe --tags", ""),
        ("curl -fsSL https://host/install.sh | sh", "curl"),
        ("curl -fsSL $URL -o /tmp/x", "curl"),
        ("wget --version", ""),
        ("if [ ! -d /x ]; then wget -q -O /x http://host/x; fi", "wget"),
        ("(cd /src && go mod download)", "go mod"),
        ("{ cargo build --release; }", "cargo build"),
        ("cargo build --offline", ""),
        ("pip install --no-index ./wheels/*.whl", ""),
        ("echo 'apt-get install is not run'", ""),
        ("printf 'pip install x'", ""),
        ("apk add --no-cache tini", "apk add"),
        ("sudo dnf -y makecache", "dnf makecache"),
        ("rm -rf /var/lib/apt/lists/*", ""),
        ("apt-get clean", ""),
        ("", ""),
    ],
)
def test_the_first_command_that_fetches_is_named(script: str, expected: str) -> None:
    assert command_that_fetches(script) == expected


@given(st.text(alphabet=" \n\\;&|(){}$=-'\"aptgeinsl", max_size=60))
def test_any_script_can_be_read(script: str) -> None:
    command_that_fetches(script)


def lines(dockerfile: str, **settings: Any) -> dict[int, str]:
    return dict(infer(dockerfile, {}, **settings).fetching)


def test_lines_of_the_targets_own_chain_count() -> None:
    file = (
        "FROM a AS base\nRUN apk add x\nFROM b AS other\nRUN pip install x\n"
        "FROM base AS web\nRUN echo\nRUN <<EOF\nset -e\nnpm ci\nEOF\nFROM web AS last\n"
    )
    assert lines(file) == {2: "apk add", 7: "npm ci"}
    assert lines(file, target="other") == {4: "pip install"}


def test_a_line_that_copies_from_a_stage_is_as_old_as_what_that_fetched() -> None:
    file = (
        "FROM a AS deps\nRUN npm ci\nFROM deps AS built\nRUN npm run build\n"
        "FROM b\nCOPY --from=built /app/dist /srv\nCOPY --from=c /x /x\n"
        "RUN --mount=from=deps,target=/d cp -r /d/app /app\nCOPY page /page\n"
    )
    assert lines(file) == {6: "npm ci", 8: "npm ci"}


def test_an_address_that_is_added_is_asked_in_every_build() -> None:
    assert lines("FROM a\nADD https://host/x /x\n") == {}
