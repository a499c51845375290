"""PHP that serves what it compiled once: its own server, and the workers of FPM."""

import os
import subprocess
from collections.abc import Callable, Mapping

import pytest

from tests.engine.stacks.looking import Found, finding, found, looked
from tests.harness.cli import Freshd
from tests.harness.private_engine import SCRIPTS
from tests.harness.stack import Stack
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.timeout(600)
KEPT = Found("opcode-cache", "stale")
COMPOSE = """
services:
  web:
    image: freshd-php:1
    command: {command}
    volumes: ["./app:/app:ro", "./{file}:{target}:ro"]
    tmpfs: [/run/php]
    stop_signal: SIGKILL
"""
OWN_SERVER = 'echo file_get_contents("http://127.0.0.1:8000/page.php");'
FPM = r"""
$record = fn($kind, $text) => pack("CCnnCC", 1, $kind, 1, strlen($text), 0, 0) . $text;
$named = "";
foreach (["SCRIPT_FILENAME" => "/app/page.php", "REQUEST_METHOD" => "GET"] as $key => $value)
    $named .= chr(strlen($key)) . chr(strlen($value)) . $key . $value;
$to = stream_socket_client("tcp://127.0.0.1:9000");
fwrite($to, $record(1, pack("nCx5", 1, 0)) . $record(4, $named) . $record(4, "") . $record(5, ""));
while (strlen($head = fread($to, 8)) == 8) {
    $told = unpack("Cversion/Ckind/nid/nlength/Cpadding", $head);
    $text = $told["length"] ? fread($to, $told["length"]) : "";
    if ($told["padding"]) fread($to, $told["padding"]);
    if ($told["kind"] == 6) echo explode("\r\n\r\n", $text, 2)[1] ?? "";
    if ($told["kind"] == 3) break;
}
"""


@pytest.fixture(scope="module", autouse=True)
def _php(engine_env: Mapping[str, str]) -> None:
    done = subprocess.run([SCRIPTS / "images", "php"], env=engine_env, capture_output=True)
    if b"can only be made" in done.stderr:
        pytest.skip(done.stderr.decode().strip())
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize(
    ("command", "file", "target", "key", "ask"),
    [
        pytest.param(
            '["php", "-S", "0.0.0.0:8000", "-t", "/app"]',
            "opcache.ini",
            "/etc/php/8.2/cli/conf.d/99-ours.ini",
            "opcache.validate_timestamps",
            OWN_SERVER,
            id="its own server",
        ),
        pytest.param(
            '["php-fpm8.2", "-F"]',
            "pool.conf",
            "/etc/php/8.2/fpm/pool.d/www.conf",
            "php_admin_value[opcache.validate_timestamps]",
            FPM,
            id="FPM",
        ),
    ],
)
@pytest.mark.proves("opcode-cache", "detected", "remedied", "silent")
def test_scripts_that_are_compiled_once(
    stack: Stack,
    make_freshd: Callable[[Stack], Freshd],
    command: str,
    file: str,
    target: str,
    key: str,
    ask: str,
) -> None:
    def configured(value: int) -> None:
        pool = "[www]\nuser = www-data\nlisten = 127.0.0.1:9000\npm = static\npm.max_children = 2\n"
        start = pool if file == "pool.conf" else "opcache.revalidate_freq = 0\n"
        more = "php_admin_value[opcache.revalidate_freq] = 0\n" if file == "pool.conf" else ""
        stack.write({file: f"{start}{more}{key} = {value} ; off in production\n"})

    def serves() -> bytes | None:
        done = stack.exec(stack.container("web"), ["php", "-r", ask], check=False)
        return done.stdout if done.returncode == 0 else None

    configured(0)
    stack.write({"app/page.php": "<?php echo 1;\n"})
    os.utime(stack.path("app/page.php"), (1e9, 1e9))  # it does not keep what was written just now
    stack.write({"compose.yaml": COMPOSE.format(command=command, file=file, target=target)})
    stack.up()
    freshd = make_freshd(stack)
    wait_until(lambda: serves() == b"1", 120.0)
    assert found(looked(freshd, exit_code=0)) == set()

    stack.write({"app/page.php": "<?php echo 22;\n"})
    assert stack.exec(stack.container("web"), ["cat", "/app/page.php"]).stdout.endswith(b" 22;\n")
    assert serves() == b"1", "it was compiled anew"
    document = looked(freshd, exit_code=1)
    assert found(document) == {KEPT}
    evidence = finding(document, KEPT.cause)["evidence"]
    assert evidence["paths"] == ["app/page.php"]
    assert (evidence["setting"], evidence["file"]) == ("opcache.validate_timestamps=0", target)

    assert freshd("restart", "web").returncode == 0
    wait_until(lambda: serves() == b"22", 120.0)
    assert found(looked(freshd, exit_code=0)) == set()

    configured(1)  # near miss: the same with timestamps
    stack.compose("restart", "web")
    wait_until(lambda: serves() == b"22", 120.0)
    stack.write({"app/page.php": "<?php echo 333;\n"})
    wait_until(lambda: serves() == b"333", 120.0)
    assert KEPT not in found(looked(freshd, exit_code=0))
