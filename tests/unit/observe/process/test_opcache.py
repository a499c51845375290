"""PHP's settings: what a file says, which files count, and which value holds in the end."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freshd.catalog.runtimes.php import (
    PhpSetting,
    find_freezing,
    find_main_ini,
    read_flags,
    read_ini,
    read_pool,
)
from freshd.catalog.runtimes.processes import Served
from freshd.observe.process.opcache import DIRECTORIES, directories, settings_of

LOADED = "zend_extension=opcache.so\n"
OFF = "opcache.validate_timestamps=0\n"
KEY = "opcache.validate_timestamps"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("key=0", "0"),
        (" key  =  Off  ", "Off"),
        ('key = "0;1" ; said', "0;1"),
        ("key='a' b", "a"),
        ("key = a ; said", "a"),
        ("key =", ""),
        ("key = ${FROM_ENV}", "7"),
        ("key = ${NOWHERE}", ""),
        ("key = ${NOWHERE:-3}", "3"),
        ("key = ${FROM_ENV:-3}", "7"),
        ("; key = 1", None),
        ("[key = 1]", None),
        ("key", None),
        ("", None),
    ],
)
def test_a_line_of_an_ini_file(line: str, value: str | None) -> None:
    told = [(one.key, one.value) for one in read_ini(line, "f", {"FROM_ENV": "7"})]
    assert told == ([] if value is None else [("key", value)])


def test_sections_of_a_host_or_a_path_are_nobody_elses() -> None:
    text = "a=1\n[PATH=/x]\na=2\n[HOST = y]\na=3\n[PHP]\na=4\n"
    assert [one.value for one in read_ini(text, "f", {})] == ["1", "4"]


def test_a_pool_sets_values_for_its_workers() -> None:
    text = "[www]\nuser = x\nphp_admin_value[a.b] = 0\nphp_flag[c] = off ; said\n"
    assert list(read_pool(text, "f", {})) == [
        PhpSetting("a.b", "0", "f"),
        PhpSetting("c", "off", "f"),
    ]


def test_the_command_line_has_its_own() -> None:
    words = ["php", "-d", "a=0", "-db=1", "-d", "c", "-S", "host", "-d"]
    assert list(read_flags(words)) == [
        *(PhpSetting("a", "0"), PhpSetting("b", "1"), PhpSetting("c", "1"), PhpSetting("", "1"))
    ]


@pytest.mark.parametrize("value", ["1", "On", "yes", "TRUE", "2", "-1", "1 second"])
def test_a_switch_is_on(value: str) -> None:
    assert PhpSetting("k", value).on


@pytest.mark.parametrize("value", ["0", "Off", "no", "false", "none", "", "00", "on off"])
def test_a_switch_is_off(value: str) -> None:
    assert not PhpSetting("k", value).on


@pytest.mark.parametrize(
    ("text", "version", "frozen"),
    [
        (LOADED + OFF, "", True),
        (OFF, "8.4.1", False),
        (OFF, "8.5.0", True),
        (LOADED, "8.5.0", False),
        (LOADED + OFF + "opcache.enable=0\n", "", False),
        (LOADED + OFF + "opcache.enable=On\n", "", True),
        (LOADED + OFF + "opcache.validate_timestamps=1\n", "", False),
        ("zend_extension=/usr/lib/php/20220829/opcache.so\n" + OFF, "", True),
        ("zend_extension=xdebug.so\n" + OFF, "", False),
        (LOADED + "opcache.revalidate_freq=3600\n", "", False),
    ],
)
def test_what_freezes_a_script(text: str, version: str, frozen: bool) -> None:
    setting = find_freezing(read_ini(text, "f", {}), version)
    assert setting == (PhpSetting(KEY, "0", "f") if frozen else None)


OFFICIAL = {
    "/usr/local/etc/php/php.ini": OFF,
    "/usr/local/etc/php/php.ini-production": OFF,
    "/usr/local/etc/php/conf.d/docker-php-ext-opcache.ini": LOADED,
    "/usr/local/etc/php-fpm.d/www.conf": "php_value[opcache.validate_timestamps]=1\n",
}
DEBIAN = {
    "/etc/php/8.2/cli/php.ini": "",
    "/etc/php/8.2/cli/conf.d/10-opcache.ini": LOADED,
    "/etc/php/8.2/cli/conf.d/99-dev.ini": "opcache.validate_timestamps=1\n",
    "/etc/php/8.2/fpm/php.ini": OFF,
    "/etc/php/8.2/fpm/conf.d/10-opcache.ini": LOADED,
    "/etc/php/8.2/mods-available/opcache.ini": OFF,
    "/etc/php/8.1/cli/php.ini": LOADED + OFF,
}


@pytest.mark.parametrize(
    ("texts", "served", "scan", "file"),
    [
        pytest.param(OFFICIAL, Served("cli"), None, "/usr/local/etc/php/php.ini", id="official"),
        pytest.param(OFFICIAL, Served("fpm"), None, None, id="the pool says otherwise"),
        pytest.param(DEBIAN, Served("cli"), None, None, id="Debian's newest"),
        pytest.param(
            DEBIAN, Served("cli", "8.1"), None, "/etc/php/8.1/cli/php.ini", id="Debian's older"
        ),
        pytest.param(
            DEBIAN, Served("fpm", "9.9"), None, "/etc/php/8.2/fpm/php.ini", id="Debian's FPM"
        ),
        pytest.param(DEBIAN, Served("apache2"), None, None, id="nothing of Apache is there"),
        pytest.param(
            {**OFFICIAL, "/more/z.ini": OFF}, Served("cli"), ":/more", "/more/z.ini", id="one more"
        ),
        pytest.param(OFFICIAL, Served("cli"), "/more", None, id="another instead: no opcache"),
    ],
)
def test_which_files_a_server_reads(
    texts: Mapping[str, str], served: Served, scan: str | None, file: str | None
) -> None:
    variables = {} if scan is None else {"PHP_INI_SCAN_DIR": scan}
    setting = find_freezing(settings_of(texts, served, variables), "")
    assert (None if setting is None else setting.file) == file


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("php -S 0:80 -t /app", None),
        ("php -c /etc/x.ini -S 0:80", "/etc/x.ini"),
        ("php -c/etc -S 0:80", "/etc"),
        ("php --php-ini=/etc/x.ini", "/etc/x.ini"),
        ("php-fpm --php-ini /etc/x.ini -n", ""),
        ("php -S 0:80 -- -n", None),
        ("php -c", None),
    ],
)
def test_the_ini_file_that_a_command_line_names(command: str, named: str | None) -> None:
    assert find_main_ini(command.split()) == named


@pytest.mark.parametrize(
    ("command", "scan", "more"),
    [
        ("php -S 0:80", "", []),
        ("php -c /srv/conf -S 0:80", "", ["/srv/conf"]),
        ("php -c /srv/conf/my.ini", ":/srv/conf:/more", ["/srv/conf", "/more"]),
        ("php -c conf -S 0:80", "more:./more", []),
        ("php -c my.ini", "", []),
        ("php -n", "/etc/php.d", []),
    ],
)
def test_settings_are_looked_for_where_they_can_be_found(
    command: str, scan: str, more: list[str]
) -> None:
    found = directories(command.split(), {"PHP_INI_SCAN_DIR": scan})
    assert found == [*DIRECTORIES, *more]


STAMPED = "-d opcache.validate_timestamps=1"


@pytest.mark.parametrize(
    ("texts", "served", "words", "frozen"),
    [
        pytest.param(OFFICIAL, Served("cli"), "php -n", None, id="no ini file at all"),
        pytest.param(OFFICIAL, Served("cli"), "php -c /else", None, id="one that is not there"),
        pytest.param(
            {**OFFICIAL, "/else/php.ini": OFF}, Served("cli"), "php -c /else", "/else/php.ini",
            id="a directory",
        ),
        pytest.param(
            {**OFFICIAL, "/else/x.ini": OFF}, Served("cli"), "php -c /else/x.ini", "/else/x.ini",
            id="a file",
        ),
        pytest.param(OFFICIAL, Served("cli"), f"php {STAMPED}", None, id="the words win"),
        pytest.param(
            {**OFFICIAL, "/usr/local/etc/php-fpm.d/www.conf": f"php_value[{KEY}]=0\n"},
            Served("fpm"), f"php-fpm {STAMPED}", "/usr/local/etc/php-fpm.d/www.conf",
            id="but for the pool",
        ),
    ],
)  # fmt: skip
def test_what_the_command_line_does_to_the_files(
    texts: Mapping[str, str], served: Served, words: str, frozen: str | None
) -> None:
    setting = find_freezing(settings_of(texts, served, {}, words.split()), "")
    assert (None if setting is None else setting.file) == frozen


@given(st.text(alphabet="[]=;\"'${}:-ab\n .", max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    for setting in read_ini(text, "f", {"a": "1"}):
        assert setting.key
        assert setting.on in (True, False)
