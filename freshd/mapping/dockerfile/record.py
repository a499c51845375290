"""How BuildKit writes an instruction into the image's history: an instruction in, text out. Pure.

The forms were read off images that a real builder made, and are tested against one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from freshd.mapping.dockerfile.syntax.parse import Instruction, heredoc_mark

DEFAULT_SHELL = ("/bin/sh", "-c")
ESCAPES = {
    '"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f",
    "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
}  # fmt: skip
MARK = " # buildkit"


@dataclass(frozen=True, slots=True)
class ExpectedEntry:
    """One instruction as the final image's history has it, if it was built from this Dockerfile.

    ``records`` are the texts that versions of BuildKit give it. ``certain`` is false where the
    text depends on a base image that is not known. ``traceless`` says what the text does not show.
    ``verbatim`` marks a COPY or ADD that brings files of the context and nothing else.
    """

    name: str
    line: int
    records: tuple[str, ...]
    certain: bool = True
    traceless: str = ""
    verbatim: bool = False


def quote(text: str) -> str:
    """``text`` in double quotes, as Go prints it with %q."""
    return '"' + "".join(_quoted_char(char) for char in text) + '"'


def _quoted_char(char: str) -> str:
    code = ord(char)
    if char in ESCAPES:
        return ESCAPES[char]
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if char.isprintable():
        return char
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def format_command(instruction: Instruction, shell: Sequence[str]) -> str:
    """CMD and ENTRYPOINT."""
    words = instruction.array
    if words is None:
        words = (*(shell or DEFAULT_SHELL), instruction.args)
    return f"{instruction.name} [{' '.join(quote(word) for word in words)}]"


def format_bracketed(instruction: Instruction, words: Iterable[str]) -> str:
    """SHELL and VOLUME."""
    return f"{instruction.name} [{' '.join(words)}]"


def format_copy(
    instruction: Instruction, words: Sequence[str], *, chown: str | None, chmod: str | None
) -> str:
    """COPY and ADD; ``words`` are expanded, the destination last."""
    parts = [instruction.name]
    if instruction.flag("parents") == "true":
        parts.append("--parents")
    if chown:
        parts.append(f"--chown={chown}")
    if chmod:
        parts.append(f"--chmod={chmod}")
    plain = [word for word in words[:-1] if heredoc_mark(word) is None]
    inline = [f"<<{document.name}" for document in instruction.heredocs]
    return " ".join([*parts, *plain, *inline, words[-1]]) + MARK


def format_run(
    instruction: Instruction,
    *,
    shell: Sequence[str],
    args: Sequence[tuple[str, str | None]],
    inherited: int,
    env: Mapping[str, str],
) -> tuple[str, ...]:
    """RUN with the ARGs in force before it.

    Versions differ in whether the first ``inherited`` ones, of the stage below, are shown, and
    whether a repeated one is shown twice.
    """
    words = _run_words(instruction, shell)
    shown = []
    for chosen in (args, args[inherited:]):
        for part in (list(chosen), list(dict(chosen).items())):
            texts = [f"{key}={env.get(key, value or '')}" for key, value in part]
            shown.append([f"|{len(texts)}", *texts] if texts else [])
    return tuple(dict.fromkeys("RUN " + " ".join([*part, *words]) + MARK for part in shown))


def runs_script(instruction: Instruction) -> bool:
    """A RUN whose heredoc starts with ``#!``: the history names a file, not its content."""
    first = instruction.heredocs[0].content.lstrip("\t") if instruction.heredocs else ""
    return heredoc_mark(instruction.args) is not None and first.startswith("#!")


def _run_words(instruction: Instruction, shell: Sequence[str]) -> tuple[str, ...]:
    if instruction.array is not None:
        return instruction.array
    documents = instruction.heredocs
    if not documents:
        text = instruction.args
    elif runs_script(instruction):
        return (f"/dev/pipes/{documents[0].name}",)
    elif heredoc_mark(instruction.args) is not None:
        text = documents[0].content
        if documents[0].chomp:
            text = "".join(line.lstrip("\t") for line in text.splitlines(keepends=True))
    else:
        text = instruction.args + "".join(
            f"\n{document.content}{document.name}" for document in documents
        )
    return (*(shell or DEFAULT_SHELL), text)


def format_healthcheck(instruction: Instruction) -> str:
    """HEALTHCHECK in the form of the first BuildKit versions; ``history`` compares by meaning."""
    kind, _, rest = instruction.args.partition(" ")
    if kind.upper() == "NONE":
        words, durations, retries = ["NONE"], ["0s"] * 4, 0
    else:
        array = instruction.array
        words = ["CMD", *array] if array is not None else ["CMD-SHELL", rest.strip()]
        names = ("interval", "timeout", "start-period", "start-interval")
        durations = [instruction.flag(name) or "0s" for name in names]
        retries = int(instruction.flag("retries") or "0")
    texts = " ".join(quote(word) for word in words)
    times = " ".join(quote(duration) for duration in durations)
    return f"HEALTHCHECK &{{[{texts}] {times} {retries}}}"
