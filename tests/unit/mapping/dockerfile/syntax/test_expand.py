"""Variables and quotes in a Dockerfile word."""

import pytest

from freshd.mapping.dockerfile.syntax.expand import ExpansionError, expand_word, shell_words

ENV = {"A": "va", "E": "", "P": "/usr/lib/x.tar.gz", "_u1": "low"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("plain", "plain"),
        ("$A", "va"),
        ("${A}b", "vab"),
        ("$A-b", "va-b"),
        ("$Ab", ""),
        ("$_u1/x", "low/x"),
        ("$", "$"),
        ("a$.b", "a$.b"),
        ("\\$A", "$A"),
        ("'$A'", "$A"),
        ('"$A b"', "va b"),
        ('"\\"\\n"', '"\\n'),
        ("a\\b", "ab"),
        ("${N:-dflt}", "dflt"),
        ("${E:-dflt}", "dflt"),
        ("${E-dflt}", ""),
        ("${N-dflt}", "dflt"),
        ("${A:+set}", "set"),
        ("${E:+set}", ""),
        ("${E+set}", "set"),
        ("${N+set}", ""),
        ("${N:-${A}/$A}", "va/va"),
        ('${N:-"q $A"}', "q va"),
        ("${A:?no}", "va"),
        ("${P#*/}", "usr/lib/x.tar.gz"),
        ("${P##*/}", "x.tar.gz"),
        ("${P%.*}", "/usr/lib/x.tar"),
        ("${P%%.*}", "/usr/lib/x"),
        ("${P/x/y}", "/usr/lib/y.tar.gz"),
        ("${P//r/R}", "/usR/lib/x.taR.gz"),
        ("${P//*/x}", "x"),
        ("${E//*/x}", "x"),
        ("${A//a/\\$y}", "v\\"),
        ("${A/a/\\$y}", "v\\$y"),
        ("<<EOF", "<<EOF"),
        ("$1", ""),
    ],
)
def test_a_word_expands_to(word: str, expected: str) -> None:
    assert expand_word(word, ENV, escape="\\")[0] == expected


def test_the_escape_character_of_the_file_is_used() -> None:
    assert expand_word("`$A\\$A", ENV, escape="`")[0] == "$A\\va"


@pytest.mark.parametrize("word", ["'a", '"a', "${", "${}", "${A", "${:x}", "${A@Q}", "${N:?gone}"])
def test_a_word_the_frontend_refuses_is_an_error(word: str) -> None:
    with pytest.raises(ExpansionError):
        expand_word(word, ENV, escape="\\")


def test_variables_without_a_value_are_told() -> None:
    assert expand_word("$A $N ${M:-x}", ENV, escape="\\")[1] == {"N", "M"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cat <<EOF > /x", ["cat", "<<EOF", ">", "/x"]),
        ("cat << EOF", ["cat", "<< EOF"]),
        ("a 'b c' \"d e\"", ["a", "'b c'", '"d e"']),
        ("echo $X ${Y:-a b}", ["echo", "$X", "${Y:-a", "b}"]),
        ("a\\ b", ["a\\ b"]),
    ],
)
def test_a_line_splits_where_a_heredoc_is_looked_for(text: str, words: list[str]) -> None:
    assert shell_words(text, raw_quotes=True, raw_escapes=True) == words
