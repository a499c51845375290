"""What a RUN is known to read: the files that its commands name, and the manifests of its tools."""

import pytest

from freshd.mapping.dockerfile.consumed import Run, consumes, split_words


@pytest.mark.parametrize(
    "text",
    [
        "chmod +x /app/run.sh",
        "chmod +x run.sh && chown app:app run.sh",
        "useradd app; chown -R app run.sh",
        "/bin/chmod 755 \\\n  run.sh other.sh",
        "find /app -name run.sh -exec chmod 750 {} +",
        "find . -name run.sh -exec chown app {} ; -exec touch {} ;",
        "ln -sf /app/run.sh /usr/bin/run",
        "if true; then chmod +x run.sh; fi",
        "(cd run.sh.d && touch run.sh )",
        "setfacl -m u:7:r run.sh",
    ],
)
def test_a_command_that_gives_a_file_rights_or_a_name_does_not_read_it(text: str) -> None:
    assert not consumes(Run(0, 1, split_words(text)), "run.sh")


@pytest.mark.parametrize(
    "text",
    [
        "chmod +x run.sh && ./run.sh",
        "chmod +x run.sh; sh run.sh",
        "sed -i s/a/b/ run.sh && chmod +x run.sh",
        "for f in run.sh; do chmod +x $f; sh $f; done",
        "find . -name run.sh | xargs sh",
        "find . -name run.sh -exec sh {} +",
        "find . -name run.sh -exec chmod +x {} + -exec sh {} +",
        "touch -d $(cat run.sh) x",
        "touch $(stat -c %n <run.sh)",
        "ln run.sh other.sh",
        "python <<run.sh\nchmod run.sh\nrun.sh",
    ],
)
def test_one_that_may_is_not_overlooked(text: str) -> None:
    assert consumes(Run(0, 1, split_words(text)), "run.sh")


def test_a_tool_beside_a_chown_reads_its_manifest() -> None:
    run = Run(0, 1, split_words("chown -R node /app && npm ci"))
    assert consumes(run, "package.json")
    assert not run.leaves_contents


@pytest.mark.parametrize("text", ["chown -R 7:7 /app && mkdir /data", "chmod +x /app/*.sh"])
def test_a_run_of_such_commands_alone_leaves_every_content(text: str) -> None:
    assert Run(0, 1, split_words(text)).leaves_contents
