"""The command line, and the variables that stand for options."""

from __future__ import annotations

from support.bad_input.case import commands

ROWS = [
    (
        ["analyse"],
        {},
        (
            "Usage: etlkit [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'etlkit --help' for help.\n"
            "\n"
            "Error: There is no command `analyse`; did you mean `analyze`?"
        ),
    ),
    (
        ["plann"],
        {},
        (
            "Usage: etlkit [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'etlkit --help' for help.\n"
            "\n"
            "Error: There is no command `plann`; did you mean `plan`?"
        ),
    ),
    (
        ["zzz"],
        {},
        (
            "Usage: etlkit [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'etlkit --help' for help.\n"
            "\n"
            "Error: There is no command `zzz`; known: {all}"
        ),
    ),
    (
        [""],
        {},
        (
            "Usage: etlkit [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'etlkit --help' for help.\n"
            "\n"
            "Error: There is no command ``; known: {all}"
        ),
    ),
    (
        ["pl\x1b[31man"],
        {},
        (
            "Usage: etlkit [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'etlkit --help' for help.\n"
            "\n"
            "Error: There is no command `pl\\x1b[31man`; did you mean `plan`?"
        ),
    ),
    (
        ["--bogus", "plan"],
        {},
        (
            "Usage: etlkit [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'etlkit --help' for help.\n"
            "\n"
            "Error: No such option '--bogus'."
        ),
    ),
    (
        ["plugins", "lits"],
        {},
        (
            "Usage: etlkit plugins [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'etlkit plugins --help' for help.\n"
            "\n"
            "Error: There is no command `lits`; did you mean `list`?"
        ),
    ),
    (
        ["plan", "--selct", "x"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: No such option '--selct'. (Did you mean one of: '--help', '--select'?)"
        ),
    ),
    (
        ["plan", "--sel\x1b[31mct", "x"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: No such option '--sel\\x1b[31mct'. Did you mean '--select'?"
        ),
    ),
    (
        ["plan", "--password=hunter2"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: No such option '--password'."
        ),
    ),
    (
        ["plan", "patient"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Got unexpected extra argument (patient)"
        ),
    ),
    (
        ["plan", "patient", "claim"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Got unexpected extra arguments (patient claim)"
        ),
    ),
    (
        ["plan", "mysql://u:hunter2@h/d"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Got unexpected extra argument ..."
        ),
    ),
    (["plan", "--select"], {}, "Option '--select' requires an argument."),
    (["run", "--full-refresh=yes"], {}, "Option '--full-refresh' does not take a value."),
    (["plan", "--select", "pateint"], {}, "--select `pateint` fits no table; did you mean `patient`?"),
    (["plan", "--select", "Patient"], {}, "--select `Patient` fits no table; did you mean `patient`?"),
    (
        ["plan", "--select", ""],
        {},
        "--select `` fits no table; write a pattern such as `pat*`, or leave the option out",
    ),
    (["plan", "--select", "zzz*"], {}, "--select `zzz*` fits no table; known: {all}"),
    (["plan", "--select", "[pat"], {}, "--select `[pat` fits no table; known: {all}"),
    (
        ["plan", "--select", "importance:critcal"],
        {},
        "--select `importance:critcal` fits no table; did you mean `critical`?",
    ),
    (["plan", "--select", "importance:"], {}, "--select `importance:` fits no table; known: {all}"),
    (
        ["plan", "--select", "strategy:full_table"],
        {},
        (
            "--select `strategy:full_table` fits no table; only `importance:` chooses by something "
            "else than the name"
        ),
    ),
    (
        ["plan", "--select", "patient,claim"],
        {},
        (
            "--select `patient,claim` fits no table; a comma divides nothing: give the option once "
            "for each pattern (a variable, with blanks between them)"
        ),
    ),
    (["plan", "--exclude", "pateint"], {}, "--exclude `pateint` fits no table; did you mean `patient`?"),
    (["plan", "--exclude", "*"], {}, "--select and --exclude leave no table; take one of the patterns out"),
    (
        ["run", "--select", "patient", "--exclude", "patient"],
        {},
        "--select and --exclude leave no table; take one of the patterns out",
    ),
    (["plan", "--select", "pat\x1b[31m"], {}, "--select `pat\\x1b[31m` fits no table; known: {all}"),
    (
        ["plan", "--select", "pat\nient"],
        {},
        "--select something that is not shown fits no table; did you mean `patient`?",
    ),
    (
        ["plan", "--select", "p" * 10000],
        {},
        "--select something that is not shown fits no table; known: {all}",
    ),
    (["plan", "--select", "'; drop table x"], {}, "--select `'; drop table x` fits no table; known: {all}"),
    (
        ["run", "--threads", "0"],
        {},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got `0`)"
        ),
    ),
    (
        ["run", "--threads", "-1"],
        {},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got `-1`)"
        ),
    ),
    (
        ["run", "--threads", "x"],
        {},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got `x`)"
        ),
    ),
    (
        ["run", "--threads", "1e3"],
        {},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got `1e3`)"
        ),
    ),
    (
        ["run", "--threads", "65"],
        {},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got `65`)"
        ),
    ),
    (
        ["run", "--threads", ""],
        {},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got nothing)"
        ),
    ),
    (
        ["run", "--threads", "2.5"],
        {},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got `2.5`)"
        ),
    ),
    (
        ["run", "--threads", "1_0"],
        {},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got `1_0`)"
        ),
    ),
    (
        ["run", "--threads", "\x1b[31m"],
        {},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got "
            "`\\x1b[31m`)"
        ),
    ),
    (
        ["run", "--threads", "2", "--threads", "0"],
        {},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `--threads`: it must be a whole number from 1 to 64 (got `0`)"
        ),
    ),
    (
        ["plan", "--limit", "0"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `--limit`: it must be a whole number from 1 to "
            "1,000,000,000,000 (got `0`)"
        ),
    ),
    (
        ["plan", "--limit", "-5"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `--limit`: it must be a whole number from 1 to "
            "1,000,000,000,000 (got `-5`)"
        ),
    ),
    (
        ["plan", "--limit", "ten"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `--limit`: it must be a whole number from 1 to "
            "1,000,000,000,000 (got `ten`)"
        ),
    ),
    (
        ["plan", "--limit", "9" * 30],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `--limit`: it must be a whole number from 1 to "
            "1,000,000,000,000 (got `999999999999999999999999999999`)"
        ),
    ),
    (
        ["plan", "--limit", "9" * 5000],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `--limit`: it must be a whole number from 1 to "
            "1,000,000,000,000 (got something that is not shown)"
        ),
    ),
    (
        ["plan", "-C", "{folder}/etlkit.yml"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `-C`: it must name a folder, and `{folder}/etlkit.yml` is a file"
        ),
    ),
    (
        ["plan", "-C", "{folder}/nowhere"],
        {},
        "{folder}/nowhere/etlkit.yml: is not there; `etlkit init -C {folder}/nowhere` writes one",
    ),
    (
        ["plan", "-C", ""],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `-C`: it must name a folder (got nothing)"
        ),
    ),
    (
        ["plan", "-C", "{folder}/empty"],
        {},
        "{folder}/empty/etlkit.yml: is not there; `etlkit init -C {folder}/empty` writes one",
    ),
    (
        ["plan", "-C", "x" * 5000],
        {},
        (
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/etlkit.yml: is "
            "not there; `etlkit init -C xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
            "xxxxxxxxxxx` writes one"
        ),
    ),
    (
        ["init", "-C", "{folder}/etlkit.yml"],
        {},
        (
            "Usage: etlkit init [OPTIONS]\n"
            "Try 'etlkit init --help' for help.\n"
            "\n"
            "Error: Invalid value for `-C`: it must name a folder, and `{folder}/etlkit.yml` is a file"
        ),
    ),
    (
        ["init", "-C", "{folder}/etlkit.yml/north"],
        {},
        "{folder}/etlkit.yml/north/.env: cannot be read (Not a directory)",
    ),
    (
        ["plan", "--log-format", "xml"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `--log-format`: it must be `text` or `json` (got `xml`)"
        ),
    ),
    (
        ["plan", "--log-format", "JSON"],
        {},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `--log-format`: it must be `text` or `json` (got `JSON`)"
        ),
    ),
    (
        ["verify", "--sample", "0"],
        {},
        (
            "Usage: etlkit verify [OPTIONS]\n"
            "Try 'etlkit verify --help' for help.\n"
            "\n"
            "Error: Invalid value for `--sample`: it must be a whole number from 1 to "
            "1,000,000,000,000 (got `0`)"
        ),
    ),
    (
        ["verify", "--sample", "10%"],
        {},
        (
            "Usage: etlkit verify [OPTIONS]\n"
            "Try 'etlkit verify --help' for help.\n"
            "\n"
            "Error: Invalid value for `--sample`: it must be a whole number from 1 to "
            "1,000,000,000,000 (got `10%`)"
        ),
    ),
    (
        ["verify", "--sample", "10", "--deep"],
        {},
        (
            "Usage: etlkit verify [OPTIONS]\n"
            "Try 'etlkit verify --help' for help.\n"
            "\n"
            "Error: --deep compares every row and --sample only some: give one of them."
        ),
    ),
    (
        ["verify", "--sample", "9" * 30],
        {},
        (
            "Usage: etlkit verify [OPTIONS]\n"
            "Try 'etlkit verify --help' for help.\n"
            "\n"
            "Error: Invalid value for `--sample`: it must be a whole number from 1 to "
            "1,000,000,000,000 (got `999999999999999999999999999999`)"
        ),
    ),
    (
        ["status", "--select", "patient"],
        {},
        (
            "Usage: etlkit status [OPTIONS]\n"
            "Try 'etlkit status --help' for help.\n"
            "\n"
            "Error: No such option '--select'."
        ),
    ),
    (
        ["reconcile", "--limit", "5"],
        {},
        (
            "Usage: etlkit reconcile [OPTIONS]\n"
            "Try 'etlkit reconcile --help' for help.\n"
            "\n"
            "Error: No such option '--limit'."
        ),
    ),
    (
        ["run"],
        {"ETLKIT_THREADS": "many"},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_THREADS`: it must be a whole number from 1 to 64 (got "
            "`many`)"
        ),
    ),
    (
        ["run"],
        {"ETLKIT_THREADS": "0"},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_THREADS`: it must be a whole number from 1 to 64 (got `0`)"
        ),
    ),
    (
        ["plan"],
        {"ETLKIT_LIMIT": "1,000"},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_LIMIT`: it must be a whole number from 1 to "
            "1,000,000,000,000 (got `1,000`)"
        ),
    ),
    (
        ["verify"],
        {"ETLKIT_SAMPLE": "half"},
        (
            "Usage: etlkit verify [OPTIONS]\n"
            "Try 'etlkit verify --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_SAMPLE`: it must be a whole number from 1 to "
            "1,000,000,000,000 (got `half`)"
        ),
    ),
    (
        ["plan"],
        {"ETLKIT_SELECT": "patient pateint"},
        "--select `pateint` fits no table; did you mean `patient`?",
    ),
    (
        ["plan"],
        {"ETLKIT_EXCLUDE": "patient,claim"},
        (
            "--exclude `patient,claim` fits no table; a comma divides nothing: give the option once "
            "for each pattern (a variable, with blanks between them)"
        ),
    ),
    (
        ["plan"],
        {"ETLKIT_FULL_REFRESH": "maybe"},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_FULL_REFRESH`: it must be 1 or 0, true or false, yes "
            "or no (got `maybe`)"
        ),
    ),
    (
        ["run"],
        {"ETLKIT_DRY_RUN": "2"},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_DRY_RUN`: it must be 1 or 0, true or false, yes or no "
            "(got `2`)"
        ),
    ),
    (
        ["run"],
        {"ETLKIT_ALLOW_DELETES": "sure"},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_ALLOW_DELETES`: it must be 1 or 0, true or false, yes "
            "or no (got `sure`)"
        ),
    ),
    (
        ["run"],
        {"ETLKIT_ACCEPT_SOURCE": "yep"},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_ACCEPT_SOURCE`: it must be 1 or 0, true or false, yes "
            "or no (got `yep`)"
        ),
    ),
    (
        ["plan"],
        {"ETLKIT_JSON": "jsonl"},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_JSON`: it must be 1 or 0, true or false, yes or no "
            "(got `jsonl`)"
        ),
    ),
    (
        ["plan"],
        {"ETLKIT_VERBOSE": "3"},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_VERBOSE`: it must be 1 or 0, true or false, yes or no "
            "(got `3`)"
        ),
    ),
    (
        ["plan"],
        {"ETLKIT_LOG_FORMAT": "logfmt"},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_LOG_FORMAT`: it must be `text` or `json` (got `logfmt`)"
        ),
    ),
    (
        ["plan"],
        {"ETLKIT_DIR": "{folder}/etlkit.yml"},
        (
            "Usage: etlkit plan [OPTIONS]\n"
            "Try 'etlkit plan --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_DIR`: it must name a folder, and `{folder}/etlkit.yml` "
            "is a file"
        ),
    ),
    (
        ["verify"],
        {"ETLKIT_DEEP": "very"},
        (
            "Usage: etlkit verify [OPTIONS]\n"
            "Try 'etlkit verify --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_DEEP`: it must be 1 or 0, true or false, yes or no "
            "(got `very`)"
        ),
    ),
    (
        ["verify"],
        {"ETLKIT_SHOW_VALUES": "all"},
        (
            "Usage: etlkit verify [OPTIONS]\n"
            "Try 'etlkit verify --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_SHOW_VALUES`: it must be 1 or 0, true or false, yes or "
            "no (got `all`)"
        ),
    ),
    (
        ["report"],
        {"ETLKIT_KEYS": "primary"},
        (
            "Usage: etlkit report [OPTIONS]\n"
            "Try 'etlkit report --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_KEYS`: it must be 1 or 0, true or false, yes or no "
            "(got `primary`)"
        ),
    ),
    (
        ["verify", "--deep"],
        {"ETLKIT_SAMPLE": "10"},
        (
            "Usage: etlkit verify [OPTIONS]\n"
            "Try 'etlkit verify --help' for help.\n"
            "\n"
            "Error: --deep compares every row and --sample only some: give one of them."
        ),
    ),
    (
        ["run"],
        {"ETLKIT_THREADS": "mysql://u:hunter2@h/d"},
        (
            "Usage: etlkit run [OPTIONS]\n"
            "Try 'etlkit run --help' for help.\n"
            "\n"
            "Error: Invalid value for `ETLKIT_THREADS`: it must be a whole number from 1 to 64 (got "
            "something that is not shown)"
        ),
    ),
    (
        ["init"],
        {"ETLKIT_SOURCE_URL": "", "ETLKIT_WAREHOUSE_URL": ""},
        (
            "ETLKIT_SOURCE_URL and ETLKIT_WAREHOUSE_URL must be set, because there is no terminal to "
            "ask on; set them in the environment or in {folder}/.env and run again"
        ),
    ),
    (
        ["init", "-C", "{folder}/empty"],
        {"ETLKIT_SOURCE_URL": ""},
        (
            "ETLKIT_SOURCE_URL must be set, because there is no terminal to ask on; set it in the "
            "environment or in {folder}/empty/.env and run again"
        ),
    ),
    (
        ["init"],
        {"ETLKIT_SOURCE_URL": "postgresql://u:hunter2@h/d"},
        "`ETLKIT_SOURCE_URL` must begin with `mysql://` or `mariadb://` (got `postgresql://`)",
    ),
    (
        ["init"],
        {"ETLKIT_WAREHOUSE_URL": "mysql://u:hunter2@h/d"},
        "`ETLKIT_WAREHOUSE_URL` must begin with `postgresql://` or `postgres://` (got `mysql://`)",
    ),
    (
        ["plan", "--no-plugin", "threats"],
        {},
        "--no-plugin names `threats`, but no such plugin is there; did you mean `threads`?",
    ),
    (
        ["run", "--no-plugin", "threats", "--no-plugin", "maskin"],
        {},
        (
            "--no-plugin names `threats`, but no such plugin is there; did you mean `threads`?\n"
            "--no-plugin names `maskin`, but no such plugin is there; did you mean `masking`?"
        ),
    ),
    (
        ["verify"],
        {"ETLKIT_NO_PLUGIN": "importance,masking"},
        (
            "--no-plugin names `importance,masking`, but no such plugin is there; give the option once for each "
            "plugin (a variable, with blanks between them)"
        ),
    ),
    (
        ["analyze", "--no-plugin", "mysql://u:hunter2@h/d"],
        {},
        "--no-plugin names something that is not shown, but no such plugin is there; known: {all}",
    ),
    (
        ["reconcile", "--no-plugin", "threads"],
        {},
        (
            "--no-plugin leaves out `threads`, and no other plugin provides the executor `threads`, which loads the "
            "tables of a run (`run.executor`); do without the option, or install another plugin that provides it"
        ),
    ),
    (
        ["analyze"],
        {"ETLKIT_NO_PLUGIN": "importance full_table"},
        (
            "--no-plugin leaves out `full_table`, and no other plugin provides the strategy `full_table`, by which "
            "tables are loaded that nobody chose anything for, or that no other strategy can serve; do without the "
            "option, or install another plugin that provides it"
        ),
    ),
]

CASES = commands("the command line", ROWS)
