"""Files and commands that should give a password."""

from __future__ import annotations

from support.bad_input.case import FOLDER, Bad, servers

ADDRESS = "mysql://reader@127.0.0.1:1/od"

ROWS = [
    (
        "a file that is not there",
        "password_file: pw",
        None,
        0o600,
        (
            "{folder}/etlkit.yml:2: `source.password_file` names a file that is not there; a path "
            "begins at the folder of etlkit.yml"
        ),
    ),
    (
        "a folder",
        "password_file: pw",
        FOLDER,
        0o700,
        "{folder}/etlkit.yml:2: `source.password_file`: {folder}/pw cannot be read (Is a directory)",
    ),
    (
        "an empty file",
        "password_file: pw",
        b"",
        0o600,
        "{folder}/etlkit.yml:2: `source.password_file`: {folder}/pw is empty",
    ),
    (
        "only line ends",
        "password_file: pw",
        b"\r\n\n",
        0o600,
        "{folder}/etlkit.yml:2: `source.password_file`: {folder}/pw is empty",
    ),
    (
        "open to a group",
        "password_file: pw",
        b"hunter2\n",
        0o640,
        (
            "{folder}/etlkit.yml:2: `source.password_file`: {folder}/pw is open to other users of "
            "this machine; run `chmod 600 {folder}/pw`"
        ),
    ),
    (
        "open to everybody",
        "password_file: pw",
        b"hunter2\n",
        0o604,
        (
            "{folder}/etlkit.yml:2: `source.password_file`: {folder}/pw is open to other users of "
            "this machine; run `chmod 600 {folder}/pw`"
        ),
    ),
    (
        "not UTF-8",
        "password_file: pw",
        b"hunter2\xff",
        0o600,
        "{folder}/etlkit.yml:2: `source.password_file`: {folder}/pw is not UTF-8",
    ),
    (
        "several lines",
        "password_file: pw",
        b"hunter2\nsecond\n",
        0o600,
        ("{folder}/etlkit.yml:2: `source.password_file`: {folder}/pw holds several lines; a password is one"),
    ),
    (
        "a NUL in it",
        "password_file: pw",
        b"hun\0ter2",
        0o600,
        "{folder}/etlkit.yml:2: `source.password_file`: {folder}/pw holds a NUL",
    ),
    (
        "a huge file",
        "password_file: pw",
        b"hunter2" * 200000,
        0o600,
        (
            "{folder}/etlkit.yml:2: `source.password_file`: {folder}/pw holds more than 64.0 kB, "
            "which is no password"
        ),
    ),
    (
        "an empty path",
        "password_file: ''",
        None,
        0o600,
        "{folder}/etlkit.yml:2: `source.password_file` must be a path (got nothing)",
    ),
    (
        "a list",
        "password_file: [pw]",
        None,
        0o600,
        "{folder}/etlkit.yml:2: `source.password_file` must be a path (got a list)",
    ),
    (
        "an endless file",
        "password_file: /dev/zero",
        None,
        0o600,
        (
            "{folder}/etlkit.yml:2: `source.password_file`: /dev/zero is open to other users of this "
            "machine; run `chmod 600 /dev/zero`"
        ),
    ),
    (
        "a command that fails",
        "password_command: sh -c 'echo hunter2; exit 3'",
        None,
        0o600,
        "`source.password_command` ended with status 3; try it by hand",
    ),
    (
        "a command that is not there",
        "password_command: no-such-program hunter2",
        None,
        0o600,
        "`source.password_command` cannot be started (No such file or directory); try it by hand",
    ),
    (
        "a command that prints nothing",
        "password_command: true hunter2",
        None,
        0o600,
        "`source.password_command` printed nothing; try it by hand",
    ),
    (
        "a command that prints an empty line",
        "password_command: echo",
        None,
        0o600,
        "`source.password_command` printed nothing; try it by hand",
    ),
    (
        "a command that prints bytes",
        "password_command: \"printf '\\\\377hunter2'\"",
        None,
        0o600,
        "`source.password_command` printed something that is no text; try it by hand",
    ),
    (
        "a command that prints a NUL",
        "password_command: \"printf 'hun\\\\0ter2'\"",
        None,
        0o600,
        "`source.password_command` printed something that is no text; try it by hand",
    ),
    (
        "an unbalanced quote",
        'password_command: "echo \'hunter2"',
        None,
        0o600,
        (
            "`source.password_command` is no command: it wants a program and its arguments, with "
            "quotes in pairs; try it by hand"
        ),
    ),
    (
        "no words",
        "password_command: '  '",
        None,
        0o600,
        (
            "`source.password_command` is no command: it wants a program and its arguments, with "
            "quotes in pairs; try it by hand"
        ),
    ),
    (
        "an empty command",
        "password_command: ''",
        None,
        0o600,
        (
            "`source.password_command` is no command: it wants a program and its arguments, with "
            "quotes in pairs; try it by hand"
        ),
    ),
    (
        "a folder as a command",
        "password_command: /tmp",
        None,
        0o600,
        "`source.password_command` cannot be started (Permission denied); try it by hand",
    ),
    (
        "a list as a command",
        "password_command: [echo, hunter2]",
        None,
        0o600,
        "{folder}/etlkit.yml:2: `source.password_command` must be a text (got a list)",
    ),
    (
        "a NUL in the command",
        'password_command: "echo\\0hunter2"',
        None,
        0o600,
        (
            "`source.password_command` is no command: it wants a program and its arguments, with "
            "quotes in pairs; try it by hand"
        ),
    ),
]

CASES = tuple(
    Bad(
        kind="a password",
        what=what,
        files={"etlkit.yml": servers(source=key).replace("${ETLKIT_SOURCE_URL}", ADDRESS), "pw": content},
        mode=mode,
        says=says,
    )
    for what, key, content, mode, says in ROWS
)
