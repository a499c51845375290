"""Halts, consent, secrets, backoff and the small values of a policy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshd.config.policy_values import (
    check_pattern,
    check_purge_pattern,
    clean_container_path,
    clean_tree_path,
    format_duration,
    parse_duration,
    parse_reload,
    parse_weekly,
)
from freshd.decide.brakes.backoff import clock, next_try
from freshd.decide.consent import changed, consent_problem, fingerprint
from freshd.decide.halts import halt_reason
from freshd.decide.limits import spent
from freshd.decide.secrets import secret_pattern
from freshd.model.observed.tree_size import TreeSize
from freshd.model.policy import Limits, Reload, ReloadKind, Weekly
from freshd.model.remedy import Remedy

# --- halts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (TreeSize(100), TreeSize(100), None),
        (TreeSize(100), TreeSize(50), None),
        (TreeSize(100), TreeSize(49), "51 of 100 mapped files are gone at once"),
        (TreeSize(20), TreeSize(0), None),
        (TreeSize(21), TreeSize(0), "21 of 21 mapped files are gone at once"),
        (TreeSize(30), TreeSize(9), "21 of 30 mapped files are gone at once"),
        (TreeSize(30), TreeSize(10), None),
        (TreeSize(5), TreeSize(5000), None),
        (TreeSize(5), TreeSize(0, root_exists=False), "the project directory has vanished"),
        (TreeSize(5), TreeSize(0, root_empty=True), "the project directory is empty"),
        (None, TreeSize(0, root_exists=False), None),
        (
            None,
            TreeSize(0, moved_to="/srv/2"),
            "the path of the project leads to /srv/2 now: start freshd again",
        ),
        (
            TreeSize(5, identity=(1, 2)),
            TreeSize(5, identity=(1, 3)),
            "the project directory was replaced by another one",
        ),
        (TreeSize(5, identity=(1, 2)), TreeSize(5, identity=(1, 2)), None),
        (TreeSize(5), TreeSize(5, identity=(1, 2)), None),
        (TreeSize(0, root_exists=False), TreeSize(0, root_exists=False), None),
        (TreeSize(0, root_empty=True), TreeSize(0, root_empty=True), None),
    ],
)
def test_an_accident_halts_and_work_does_not(
    before: TreeSize | None, after: TreeSize, words: str | None
) -> None:
    assert halt_reason(before, after) == words


# --- consent ------------------------------------------------------------------------------------


def test_consent_names_what_was_added_changed_and_removed() -> None:
    agreed = fingerprint({"compose.yaml": b"one", "Dockerfile": b"FROM a", "old.env": b""})
    now = fingerprint({"compose.yaml": b"two", "Dockerfile": b"FROM a", "freshd.toml": b""})
    assert changed(agreed, now) == ("compose.yaml", "freshd.toml", "old.env")
    assert consent_problem(agreed, now) == (
        "compose.yaml, freshd.toml and old.env changed since you agreed: "
        "type `freshd run` or `freshd apply` again"
    )
    assert consent_problem(agreed, agreed) is None
    assert "nobody has agreed" in (consent_problem(None, now) or "")


def test_many_changed_files_are_counted() -> None:
    now = fingerprint({f"{number}.env": b"" for number in range(6)})
    assert "0.env, 1.env and 4 more files changed" in (consent_problem({}, now) or "")


# --- secrets ------------------------------------------------------------------------------------

SECRETS = """
.env .env.local .env.production prod.env server.pem tls.key store.p12 cert.pfx a.jks a.keystore
vault.kdbx putty.ppk terraform.tfstate terraform.tfstate.backup id_rsa id_rsa.pub id_dsa
id_ecdsa_sk id_ed25519 .netrc _netrc .npmrc .pypirc .pgpass .my.cnf .htpasswd .git-credentials
.dockercfg .dockerconfigjson .docker/config.json .aws/credentials .azure/token .gnupg/secring
.kube/config .ssh/config .git/config .vault-token credentials credentials.json
credentials-prod.json service-account.json service_account_key.json secrets.yaml secrets.json
secrets.toml .ENV ID_RSA
"""
PLAIN = """
app/main.py .env.example .env.sample .env.template .env.dist environment.py env.py key.py
keys.json secrets.py secrets.ts monkey.go pem/readme.md .gitignore .github/workflows/ci.yml
docker/config.json credentials.py service.json tests/test_secrets.py public.html
"""


@pytest.mark.parametrize("name", SECRETS.split())
def test_a_secret_is_known_by_its_name_wherever_it_is(name: str) -> None:
    assert secret_pattern(name)
    assert secret_pattern(f"deep/er/{name}")
    assert secret_pattern(f"/app/{name}")


@pytest.mark.parametrize("name", PLAIN.split())
def test_code_is_not_taken_for_a_secret(name: str) -> None:
    assert secret_pattern(name) is None
    assert secret_pattern(f"/app/{name}") is None


# --- backoff and limits -------------------------------------------------------------------------


@given(st.integers(1, 10_000), st.sampled_from(Remedy))
def test_the_wait_grows_with_each_failure_up_to_an_hour(count: int, remedy: Remedy) -> None:
    wait = next_try(1000.0, count=count, remedy=remedy) - 1000
    later = next_try(1000.0, count=count + 1, remedy=remedy) - 1000
    assert 0 < wait <= later <= 3600


def test_an_injection_is_tried_again_sooner_than_a_rebuild() -> None:
    assert next_try(0, count=1, remedy=Remedy.INJECT) == 2
    assert next_try(0, count=3, remedy=Remedy.INJECT) == 8
    assert next_try(0, count=1, remedy=Remedy.REBUILD) == 60


TYPED = "UTC; what you type is not counted:"


def over(limits: Limits, now: float, *, replicas: int = 1, **recent: tuple[float, ...]) -> set[str]:
    """The reasons why budgets are spent."""
    starts = {Remedy(remedy): moments for remedy, moments in recent.items()}
    return set(spent("web", limits, starts, replicas=replicas, now=now).values())


def test_the_rebuild_limit_says_when_the_next_may_be_and_the_way_out() -> None:
    limits, recent = Limits(rebuilds=3), (86400.0, 86460.0, 86520.0)
    assert over(limits, 86530.0, rebuild=recent) == {
        f"3 rebuilds within 10 minutes: the next not before 00:12:00 {TYPED} `freshd rebuild web`"
    }
    assert over(limits, 87119.0, rebuild=recent), "it does not come free one by one"
    assert over(limits, 87120.0, rebuild=recent) == set()
    assert over(Limits(rebuilds=0), 0.0) == {"the policy's limit is no rebuild at all"}
    assert clock(1_800_000_000.0) == "08:00:00 UTC"


def test_every_automatic_action_has_a_budget() -> None:
    """Of each replica: one save restarts all of them."""
    none = Limits(rebuilds=0, restarts=0, injections=0)
    held = spent("web", none, {}, replicas=1, now=0.0)
    assert held.keys() == set(Remedy) - {Remedy.NOTIFY}
    limits, recent = Limits(restarts=4), (1.0, 2.0)
    assert over(limits, 5.0, restart=recent, recreate=recent, reload=()) == {
        f"4 restarts within 10 minutes: the next not before 00:10:02 {TYPED} `freshd restart web`"
    }
    assert over(limits, 5.0, replicas=2, restart=recent, recreate=recent) == set()
    assert over(limits, 5.0, restart=recent, inject=recent) == set()


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("5m", 300), ("1h", 3600), ("1.5h", 5400), ("500ms", 0.5), ("1d", 86400)],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text, least=0, most=86400) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 m", "5min", "1h30m", "٣m", "1e3s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match='write "10s"'):
        parse_duration(text, least=0, most=86400)


def test_a_duration_has_bounds() -> None:
    with pytest.raises(ValueError, match="between 10s and 1d"):
        parse_duration("0s", least=10, most=86400)
    assert [format_duration(value) for value in (0.5, 90, 120, 7200)] == ["0.5s", "90s", "2m", "2h"]


def test_moments_and_reload_modes() -> None:
    assert parse_weekly("Sun 03:30") == Weekly(6, 3, 30)
    assert parse_reload("signal:SIGUSR1") == Reload(ReloadKind.SIGNAL, "USR1")
    assert parse_reload("per-request") == Reload(ReloadKind.PER_REQUEST)


@pytest.mark.parametrize("text", ["", "Sun", "Sunday 03:30", "Sun 24:00", "Sun 3:5", "31 Feb"])
def test_what_is_no_moment_of_the_week(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_weekly(text)


@pytest.mark.parametrize("text", ["", "signal", "signal:", "signal:KILL", "self:x", "sometimes"])
def test_what_is_no_reload_mode(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|not a signal"):
        parse_reload(text)


DANGEROUS = r"""
/ /* // ~ ~/ ~root/x . ./ * ** **/* */* ?* .. ../x a/../../b x/.. /etc /app/x \/etc [!a]* [a-z] .*
$HOME/x ${X}/a `id` {a,b} !a #a *a*a*a*a **/a/**/b/**/c/**/d/**/e
"""


@pytest.mark.parametrize("text", ["", " ", "a\0b", "a\nb", "a" * 600, *DANGEROUS.split()])
def test_a_dangerous_purge_pattern_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        check_purge_pattern(text)


@pytest.mark.parametrize(
    "text", ["__pycache__/", "*.pyc", "**/.cache/**", "var/cache/*.bin", ".next"]
)
def test_a_named_cache_may_be_purged(text: str) -> None:
    assert check_purge_pattern(text) == text
    assert check_pattern(text) == text


def test_places() -> None:
    assert clean_tree_path("./src//app/") == "src/app"
    assert clean_tree_path(".") == "."
    assert clean_container_path("/app//x/.") == "/app/x"
    assert clean_container_path("/app//x//") == "/app/x/"  # a file goes into it
    for text in ("", "/x", "~/x", "../x", "a/../b", "a\0"):
        with pytest.raises(ValueError, match="must"):
            clean_tree_path(text)
    for text in ("", "app", "/", "/proc/x", "/sys", "/dev", "/app/../x", "/a\0"):
        with pytest.raises(ValueError, match="must"):
            clean_container_path(text)
