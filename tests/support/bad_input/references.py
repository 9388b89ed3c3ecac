"""References to variables, and the file of variables."""

from __future__ import annotations

from support.bad_input.case import FOLDER, Link, line_4, whole

ROWS = [
    (
        "an unknown name",
        "run: {threads: '${NONE_SUCH}'}",
        (
            "{folder}/etlkit.yml:4: `run.threads` needs `${NONE_SUCH}`, which neither the "
            "environment nor `.env` sets"
        ),
    ),
    (
        "a name with a slip",
        "run: {executor: '${ETLKIT_SOURCE_ULR}'}",
        (
            "{folder}/etlkit.yml:4: `run.executor` needs `${ETLKIT_SOURCE_ULR}`, which neither the "
            "environment nor `.env` sets (did you mean `${ETLKIT_SOURCE_URL}`?)"
        ),
    ),
    (
        "an empty value",
        "run: {threads: '${EMPTY}'}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got the value of `${EMPTY}`)",
    ),
    (
        "a value of another type",
        "run: {threads: '${WORD}'}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got the value of `${WORD}`)",
    ),
    (
        "no end",
        "run: {executor: '${WORD'}",
        (
            "{folder}/etlkit.yml:4: `run.executor` holds a `${` without name and `}`; write `$${` "
            "for the text itself"
        ),
    ),
    (
        "no name",
        "run: {executor: '${}'}",
        (
            "{folder}/etlkit.yml:4: `run.executor` holds a `${` without name and `}`; write `$${` "
            "for the text itself"
        ),
    ),
    (
        "a name that begins with a digit",
        "run: {executor: '${1A}'}",
        (
            "{folder}/etlkit.yml:4: `run.executor` holds a `${` without name and `}`; write `$${` "
            "for the text itself"
        ),
    ),
    (
        "a default as in shells",
        "run: {executor: '${NONE:-threads}'}",
        (
            "{folder}/etlkit.yml:4: `run.executor` holds a `${` without name and `}`; write `$${` "
            "for the text itself"
        ),
    ),
    (
        "one in another",
        "run: {executor: '${A${WORD}}'}",
        (
            "{folder}/etlkit.yml:4: `run.executor` holds a `${` without name and `}`; write `$${` "
            "for the text itself"
        ),
    ),
    (
        "in a key",
        "tables: {'${WORD}': {exclude: yes}}",
        (
            "{folder}/etlkit.yml:4: the key `${WORD}` holds a reference, and only values are "
            "replaced; write it out"
        ),
    ),
    (
        "in the name of a section",
        "'${WORD}': {}",
        (
            "{folder}/etlkit.yml:4: the key `${WORD}` holds a reference, and only values are "
            "replaced; write it out"
        ),
    ),
    (
        "a secret for a choice",
        "drift: {widen: '${ETLKIT_SOURCE_URL}'}",
        (
            "{folder}/etlkit.yml:4: `drift.widen` must be `evolve` or `refuse` (got the value of "
            "`${ETLKIT_SOURCE_URL}`)"
        ),
    ),
    (
        "a secret for an executor",
        "run: {executor: '${ETLKIT_SOURCE_URL}'}",
        (
            "{folder}/etlkit.yml:4: `run.executor` is the value of `${ETLKIT_SOURCE_URL}`, which no "
            "plugin provides; known: {all}"
        ),
    ),
    (
        "a secret for a plugin",
        "plugins: {disable: ['${ETLKIT_SOURCE_URL}']}",
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names the value of `${ETLKIT_SOURCE_URL}`, but "
            "no such plugin is there; known: {all}"
        ),
    ),
    (
        "a secret for a strategy",
        "tables: {patient: {extraction_strategy: '${ETLKIT_SOURCE_URL}'}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.extraction_strategy` is the value of "
            "`${ETLKIT_SOURCE_URL}`, which no plugin provides; known: {all}"
        ),
    ),
    (
        "a plain secret for a strategy",
        "tables: {patient: {extraction_strategy: '${PW}'}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.extraction_strategy` is the value of `${PW}`, "
            "which no plugin provides; known: {all}"
        ),
    ),
    (
        "a plain secret for an executor",
        "run: {executor: '${PW}'}",
        (
            "{folder}/etlkit.yml:4: `run.executor` is the value of `${PW}`, which no plugin "
            "provides; known: {all}"
        ),
    ),
    (
        "a plain secret for a plugin",
        "plugins: {disable: ['${PW}']}",
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names the value of `${PW}`, but no such plugin "
            "is there; known: {all}"
        ),
    ),
]

FILES = [
    (
        "a line that is no assignment",
        b"A=1\nhunter2\n",
        "{folder}/.env:2: is not an assignment of the form NAME=value",
    ),
    (
        "a name with a blank",
        b"MY NAME=hunter2\n",
        "{folder}/.env:1: is not an assignment of the form NAME=value",
    ),
    (
        "a name with a hyphen",
        b"ETLKIT-SOURCE-URL=hunter2\n",
        (
            "{folder}/.env:1: gives a value to what is no name; a name has letters without accents, "
            "digits and `_`"
        ),
    ),
    ("a name given twice", b"A=1\nA=hunter2\n", "{folder}/.env:2: `A` is given twice (first in line 1)"),
    (
        "a quote that is not closed",
        b"A='hunter2\n",
        "{folder}/.env:1: is not an assignment of the form NAME=value",
    ),
    (
        "text behind a quote",
        b"A='hunter2' x\n",
        "{folder}/.env:1: is not an assignment of the form NAME=value",
    ),
    ("a NUL", b"A=hun\0ter2\n", "{folder}/.env:1: `A` holds a NUL, which no value can"),
    ("latin-1", b"A=\xe4hunter2\n", "{folder}/.env: is not UTF-8; save the file in that encoding"),
    ("UTF-16", "A=hunter2\n".encode("utf-16"), "{folder}/.env: is not UTF-8; save the file in that encoding"),
    ("a folder of its name", FOLDER, "{folder}/.env: cannot be read (Is a directory)"),
    ("a link to itself", Link(".env"), "{folder}/.env: cannot be read (Too many levels of symbolic links)"),
    ("YAML", b"A: hunter2\n", "{folder}/.env:1: is not an assignment of the form NAME=value"),
    ("no name", b"=hunter2\n", "{folder}/.env:1: is not an assignment of the form NAME=value"),
    (
        "a very large file",
        b"#" * (20 * 2**20),
        "{folder}/.env: is larger than 1.0 MB, which no file of variables is",
    ),
    (
        "an escape sequence in a name",
        b"A\x1b[31m=1\nA\x1b[31m=2\n",
        (
            "{folder}/.env:1: gives a value to what is no name; a name has letters without accents, "
            "digits and `_`\n"
            "{folder}/.env:2: gives a value to what is no name; a name has letters without accents, "
            "digits and `_`"
        ),
    ),
]

CASES = (*line_4("a reference", ROWS), *whole(".env", ".env", FILES))
