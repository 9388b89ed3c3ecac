"""tables.yml: damaged, changed by hand, or of another version."""

from __future__ import annotations

from support.bad_input.case import FOLDER, TABLES, servers, whole

ROWS = [
    (
        "it is empty",
        b"",
        (
            "{folder}/tables.yml: is empty; a mapping of keys was expected\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a folder of its name",
        FOLDER,
        (
            "{folder}/tables.yml: cannot be read (Is a directory)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "cut off within a key",
        TABLES[:200],
        (
            "{folder}/tables.yml:6: is not YAML: could not find expected ':' (a key wants a `:` and "
            "a blank behind it)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "cut off within a value",
        TABLES[:330],
        (
            "{folder}/tables.yml:12: is not YAML: could not find expected ':' (a key wants a `:` and "
            "a blank behind it)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "cut off within the last table",
        TABLES[:500],
        (
            "{folder}/tables.yml:19: `tables.claim.is_modeled` must be true or false (got `fa`)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "cut off behind its last table",
        TABLES[:-24],
        (
            "{folder}/tables.yml: is cut off, or was changed: its last line is not what it was\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "no table in it",
        b"metadata: {}\ntables: {}\n",
        "{folder}/tables.yml: there are no tables in it yet; `etlkit analyze -C {folder}` finds them",
    ),
    (
        "only its head",
        b"metadata: {source_database: od}\n",
        "{folder}/tables.yml: there are no tables in it yet; `etlkit analyze -C {folder}` finds them",
    ),
    (
        "a list",
        b"- patient\n",
        (
            "{folder}/tables.yml:1: the file must be a mapping of keys (got a list)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a list of tables",
        b"tables: [patient]\n",
        (
            "{folder}/tables.yml:1: `tables` must be a mapping of names (got a list)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a text for a table",
        b"tables: {patient: full_table}\n",
        (
            "{folder}/tables.yml:1: `tables.patient` must be a mapping of keys (got `full_table`)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a key that does not exist",
        b"tables:\n  patient:\n    strategy: full_table\n",
        (
            "{folder}/tables.yml:3: `tables.patient` has no key `strategy` (known keys: {all})\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a strategy that is not there",
        b"tables:\n  patient:\n    extraction_strategy: fulltable\n",
        (
            "{folder}/tables.yml:3: `tables.patient.extraction_strategy` is `fulltable`, which no "
            "plugin provides; did you mean `full_table`?"
        ),
    ),
    (
        "a batch that is a word",
        b"tables:\n  patient:\n    batch_size: lots\n",
        (
            "{folder}/tables.yml:3: `tables.patient.batch_size` must be a whole number (got `lots`)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a batch of no rows",
        b"tables:\n  patient:\n    batch_size: 0\n",
        (
            "{folder}/tables.yml:3: `tables.patient.batch_size` must be a whole number from 1 to "
            "1000000 (got `0`)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "fewer rows than none",
        b"tables:\n  patient:\n    estimated_rows: -1\n",
        (
            "{folder}/tables.yml:3: `tables.patient.estimated_rows` must be a whole number of at "
            "least 0 (got `-1`)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a text for a list",
        b"tables:\n  patient:\n    dependencies: claim\n",
        (
            "{folder}/tables.yml:3: `tables.patient.dependencies` must be a list (got `claim`)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a schedule that does not exist",
        b"tables:\n  patient:\n    reconcile: hourly\n",
        (
            "{folder}/tables.yml:3: `tables.patient.reconcile` must be `every_run`, `daily`, "
            "`weekly` or `never` (got `hourly`)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a list for a section",
        b"tables:\n  patient:\n    monitoring: []\n",
        (
            "{folder}/tables.yml:3: `tables.patient.monitoring` must be a mapping of keys (got a "
            "list)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a conversion that is not there",
        b"tables:\n  patient:\n    column_overrides:\n      TxtMsgOk: {conversion: tinyint_to_bool}\n",
        (
            "{folder}/tables.yml:4: `tables.patient.column_overrides.TxtMsgOk.conversion` is "
            "`tinyint_to_bool`, which no plugin provides; did you mean `tinyint_to_boolean`?"
        ),
    ),
    (
        "a list for a text",
        b"tables:\n  patient:\n    schema_hash: [1]\n",
        (
            "{folder}/tables.yml:3: `tables.patient.schema_hash` must be a text (got a list)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a table twice",
        b"tables:\n  patient: {}\n  patient: {}\n",
        (
            "{folder}/tables.yml:3: `tables.patient` is given twice (first in line 2)\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "an anchor and its alias",
        b"tables:\n  patient: &a {}\n  claim: *a\n",
        (
            "{folder}/tables.yml:2: `tables.patient` has an anchor (`&`); write values out, or put "
            "the text in quotes\n"
            "{folder}/tables.yml:3: `tables.claim` refers to an anchor (`*`); write the value out, "
            "or put it in quotes\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "from a newer etlkit",
        b"metadata: {analysis_version: '2'}\ntables: {patient: {}}\n",
        (
            "{folder}/tables.yml:1: was written by a newer etlkit, or changed by somebody "
            "(`analysis_version`); update etlkit\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "from a newer etlkit, with keys of its own",
        b"metadata: {analysis_version: '2', signed: yes}\ntables: {patient: {shards: 2}}\n",
        (
            "{folder}/tables.yml:1: was written by a newer etlkit, or changed by somebody "
            "(`analysis_version`); update etlkit\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a version that is no number",
        b"metadata: {analysis_version: beta}\ntables: {patient: {}}\n",
        (
            "{folder}/tables.yml:1: was written by a newer etlkit, or changed by somebody "
            "(`analysis_version`); update etlkit\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a merge conflict",
        b"<<<<<<< HEAD\ntables: {}\n=======\n",
        (
            "{folder}/tables.yml:1: holds the marks of a merge conflict; choose one side and delete "
            "the marks\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "latin-1",
        b"tables: {p\xe4tient: {}}\n",
        (
            "{folder}/tables.yml:1: is not UTF-8; save the file in that encoding\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "what belongs into etlkit.yml",
        servers(),
        (
            "{folder}/tables.yml:1: the file has no key `deployment` (known keys: {all})\n"
            "{folder}/tables.yml:2: the file has no key `source` (known keys: {all})\n"
            "{folder}/tables.yml:3: the file has no key `warehouse` (known keys: {all})\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
    (
        "a choice of a person",
        b"tables:\n  patient: {exclude: yes}\n",
        (
            "{folder}/tables.yml:2: `tables.patient` has no key `exclude` (known keys: {all})\n"
            "{folder}/tables.yml: is written by `etlkit analyze`; move it away and analyse again"
        ),
    ),
]

CASES = whole("tables.yml", "tables.yml", ROWS)
