"""Generated ignore patterns, odd brackets among them, and the names they are tried on."""

import random
from collections.abc import Sequence
from typing import Final

PIECES: Final = (
    *("a", "b", "ab", "x.py", "é", " ", "-", "#", "!", "\\\\", "\t"),
    *("*", "**", "?", "/", "**/", "/**", "/**/", "*.py"),
    *("[", "]", "[!", "[^", "[]", "[!]", "[]a]", "[a-]", "[--b]", "[\\]]", "[a/b]", "[!/]", "[/]"),
    *("[a-#]", "[z-a]", "[[a]", "[a-b]", "[^a]", "[*]", "[a*]", "[?b]", "[a.]", "[\\d]"),
    *("[:alpha:]", "[[:alpha:]]", "[[:x:]]", "[[:^digit:]a]", "[^[:space:]]"),
    *("\\*", "\\[", "\\ ", "\\a", " \\ ", "{a}", "(a)", "a+", "$", "^", "."),
)
NAMES: Final = (
    *("a", "b", "ab", "aab", "x.py", "é", "-", "#", "!a", "[", "]", "[a]", "^", "*", "a-", "a#"),
    *("a b", "a ", " ", "\t", "{a}", "(a)", "a+", "a]", "$", "[:alpha:]"),
)
PATHS: Final = (
    *NAMES,
    *("d/a", "d/b", "d/x.py", "d/é", "d/d/a", "d/d/ab", "d/d/d/b", "d/]", "ad/b/a", "ad/ab/x.py"),
)
"""No path is a directory of another, but for ``d`` and what is below it."""


def generated(seed: int, count: int) -> Sequence[str]:
    """Patterns of one to six pieces, none of more than one line."""
    chance = random.Random(seed)
    return ["".join(chance.choices(PIECES, k=chance.randint(1, 6))) for _ in range(count)]
