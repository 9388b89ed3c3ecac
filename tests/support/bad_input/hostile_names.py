"""Names that are made to do harm where they are shown: to a terminal, to a log, to who reads it."""

from __future__ import annotations

from support.bad_input.case import line_4

ROWS = [
    (
        "an escape sequence in a key",
        'run: {"thr\\e[31meads": 1}',
        "{folder}/etlkit.yml:4: `run` has no key `thr\\x1b[31meads` (did you mean `threads`?)",
    ),
    (
        "an escape sequence in a value",
        'run: {executor: "thr\\e[31meads"}',
        (
            "{folder}/etlkit.yml:4: `run.executor` is `thr\\x1b[31meads`, which no plugin provides; "
            "did you mean `threads`?"
        ),
    ),
    (
        "C1 escape in a value",
        'run: {executor: "thr\\x9b31meads"}',
        (
            "{folder}/etlkit.yml:4: `run.executor` is `thr\\x9b31meads`, which no plugin provides; "
            "did you mean `threads`?"
        ),
    ),
    (
        "an escape sequence in a table",
        'tables: {"pat\\e]0;owned\\aient": {exclude: yes}}',
        (
            "{folder}/etlkit.yml:4: `tables` names `pat\\x1b]0;owned\\x07ient`, which tables.yml does "
            "not have (known: {all}); correct the name, or run `etlkit analyze` if the table is new"
        ),
    ),
    (
        "a carriage return in a table",
        'tables: {"pat\\rient": {exclude: yes}}',
        (
            "{folder}/etlkit.yml:4: `tables` names `pat\\rient`, which tables.yml does not have (did "
            "you mean `patient`?); correct the name, or run `etlkit analyze` if the table is new"
        ),
    ),
    (
        "a line end in a key",
        'run: {"thr\\nError: all is well": 1}',
        "{folder}/etlkit.yml:4: `run` has no key of that name (known keys: {all})",
    ),
    (
        "a line end in a plugin",
        'plugins: {disable: ["a\\nError: all is well"]}',
        "{folder}/etlkit.yml:4: `plugins.disable[0]` must be a name (got a text that is not shown)",
    ),
    (
        "a line end in a table",
        'tables: {"patient\\nError": {exclude: yes}}',
        (
            "{folder}/etlkit.yml:4: `tables` names something that is not shown, which tables.yml "
            "does not have (did you mean `patient`?); correct the name, or run `etlkit analyze` if "
            "the table is new"
        ),
    ),
    (
        "a line end in a column",
        'tables: {patient: {column_overrides: {"a\\nb": {policy: nul}}}}',
        (
            "{folder}/etlkit.yml:4: `tables.patient.column_overrides.....policy` must be `fail`, "
            "`null`, `replace` or `quarantine` (got `nul`; did you mean `null`?)"
        ),
    ),
    (
        "a right-to-left mark in a plugin",
        'plugins: {disable: ["sl\\u202eow"]}',
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names `sl\\u202eow`, but no such plugin is "
            "there; known: {all}"
        ),
    ),
    (
        "a zero width blank in a key",
        'run: {"thr\\u200beads": 1}',
        "{folder}/etlkit.yml:4: `run` has no key `thr\\u200beads` (did you mean `threads`?)",
    ),
    (
        "a backtick in a plugin",
        'plugins: {disable: ["`slow`"]}',
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names ``slow``, but no such plugin is there; "
            "known: {all}"
        ),
    ),
    (
        "an attack in a table",
        'tables: {"patient\'; DROP TABLE x; --": {exclude: yes}}',
        (
            "{folder}/etlkit.yml:4: `tables` names `patient'; DROP TABLE x; --`, which tables.yml "
            "does not have (known: {all}); correct the name, or run `etlkit analyze` if the table is new"
        ),
    ),
    (
        "a very long key",
        'run: {"%s": 1}' % ("k" * 1000),
        "{folder}/etlkit.yml:4: `run` has no key of that name (known keys: {all})",
    ),
    (
        "a very long table",
        'tables: {"%s": {exclude: yes}}' % ("t" * 1000),
        (
            "{folder}/etlkit.yml:4: `tables` names something that is not shown, which tables.yml "
            "does not have (known: {all}); correct the name, or run `etlkit analyze` if the table is new"
        ),
    ),
    (
        "a very long plugin",
        'plugins: {disable: ["%s"]}' % ("p" * 5000),
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names something that is not shown, but no such "
            "plugin is there; known: {all}"
        ),
    ),
    (
        "a very long strategy",
        'tables: {patient: {extraction_strategy: "%s"}}' % ("s" * 5000),
        (
            "{folder}/etlkit.yml:4: `tables.patient.extraction_strategy` is something that is not "
            "shown, which no plugin provides; known: {all}"
        ),
    ),
    (
        "a rich markup in a plugin",
        'plugins: {disable: ["[red]slow[/red]"]}',
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names `[red]slow[/red]`, but no such plugin is "
            "there; known: {all}"
        ),
    ),
    (
        "a percent format in a plugin",
        'plugins: {disable: ["%s%n{0}"]}',
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names `%s%n{0}`, but no such plugin is there; "
            "known: {all}"
        ),
    ),
    (
        "a long nested path",
        'tables: {"%s": {monitoring: {data_quality_threshold: 2}}}' % ("t" * 1000),
        (
            "{folder}/etlkit.yml:4: `tables.....monitoring.data_quality_threshold` must be a number "
            "from 0 to 1 (got `2`)"
        ),
    ),
    (
        "many problems",
        "\n".join(f"k{i}: 1" for i in range(2000)),
        (
            "{folder}/etlkit.yml:4: the file has no key `k0` (known keys: {all})\n"
            "{folder}/etlkit.yml:5: the file has no key `k1` (known keys: {all})\n"
            "{folder}/etlkit.yml:6: the file has no key `k2` (known keys: {all})\n"
            "{folder}/etlkit.yml:7: the file has no key `k3` (known keys: {all})\n"
            "{folder}/etlkit.yml:8: the file has no key `k4` (known keys: {all})\n"
            "{folder}/etlkit.yml:9: the file has no key `k5` (known keys: {all})\n"
            "{folder}/etlkit.yml:10: the file has no key `k6` (known keys: {all})\n"
            "{folder}/etlkit.yml:11: the file has no key `k7` (known keys: {all})\n"
            "{folder}/etlkit.yml:12: the file has no key `k8` (known keys: {all})\n"
            "{folder}/etlkit.yml:13: the file has no key `k9` (known keys: {all})\n"
            "{folder}/etlkit.yml:14: the file has no key `k10` (known keys: {all})\n"
            "{folder}/etlkit.yml:15: the file has no key `k11` (known keys: {all})\n"
            "{folder}/etlkit.yml:16: the file has no key `k12` (known keys: {all})\n"
            "{folder}/etlkit.yml:17: the file has no key `k13` (known keys: {all})\n"
            "{folder}/etlkit.yml:18: the file has no key `k14` (known keys: {all})\n"
            "{folder}/etlkit.yml:19: the file has no key `k15` (known keys: {all})\n"
            "{folder}/etlkit.yml:20: the file has no key `k16` (known keys: {all})\n"
            "{folder}/etlkit.yml:21: the file has no key `k17` (known keys: {all})\n"
            "{folder}/etlkit.yml:22: the file has no key `k18` (known keys: {all})\n"
            "{folder}/etlkit.yml:23: the file has no key `k19` (known keys: {all})\n"
            "{folder}/etlkit.yml: 1,980 more problems"
        ),
    ),
]

CASES = line_4("a hostile name", ROWS)
