"""Keys and values of etlkit.yml: unknown, of the wrong type, out of range, or at odds with each other."""

from __future__ import annotations

from support.bad_input.case import line_4, servers, whole

ROWS = [
    (
        "an unknown section",
        "runn: {threads: 2}",
        "{folder}/etlkit.yml:4: the file has no key `runn` (did you mean `run`?)",
    ),
    (
        "an unknown key",
        "run: {thread: 2}",
        "{folder}/etlkit.yml:4: `run` has no key `thread` (did you mean `threads`?)",
    ),
    (
        "an unknown key that is near none",
        "run: {zzz: 2}",
        "{folder}/etlkit.yml:4: `run` has no key `zzz` (known keys: {all})",
    ),
    (
        "a key in another case",
        "run: {Threads: 2}",
        "{folder}/etlkit.yml:4: `run` has no key `Threads` (did you mean `threads`?)",
    ),
    (
        "a key with a hyphen",
        "drift: {add-column: ignore}",
        "{folder}/etlkit.yml:4: `drift` has no key `add-column` (did you mean `add_column`?)",
    ),
    (
        "a section that is a list",
        "run: [threads, 2]",
        "{folder}/etlkit.yml:4: `run` must be a mapping of keys (got a list)",
    ),
    (
        "a section that is a number",
        "run: 2",
        "{folder}/etlkit.yml:4: `run` must be a mapping of keys (got `2`)",
    ),
    ("a key without a name", "'': 1", "{folder}/etlkit.yml:4: the file has no key `` (known keys: {all})"),
    ("a null as a key", "~: 1", "{folder}/etlkit.yml:4: the file has no key `~` (known keys: {all})"),
    (
        "zero",
        "run: {threads: 0}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number from 1 to 64 (got `0`)",
    ),
    (
        "below zero",
        "run: {threads: -1}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number from 1 to 64 (got `-1`)",
    ),
    (
        "too many",
        "run: {threads: 65}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number from 1 to 64 (got `65`)",
    ),
    (
        "a fraction",
        "run: {threads: 2.0}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got `2.0`)",
    ),
    (
        "an exponent",
        "run: {threads: 1e1}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got `1e1`)",
    ),
    (
        "octal",
        "run: {threads: 010}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got `010`)",
    ),
    (
        "hexadecimal",
        "run: {threads: 0x10}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got `0x10`)",
    ),
    (
        "a digit separator",
        "run: {threads: 1_0}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got `1_0`)",
    ),
    (
        "a sexagesimal number",
        "run: {threads: 22:00}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got `22:00`)",
    ),
    (
        "a word",
        "run: {threads: many}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got `many`)",
    ),
    (
        "nothing",
        "run: {threads: }",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got nothing)",
    ),
    (
        "null",
        "run: {threads: null}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got nothing)",
    ),
    (
        "a truth value",
        "run: {threads: yes}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got `yes`)",
    ),
    (
        "a list",
        "run: {threads: [2]}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got a list)",
    ),
    (
        "a number beyond all bounds",
        "run: {threads: 99999999999999999999999999}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got `99999999999999999999999999`)",
    ),
    (
        "digits of another script",
        "run: {threads: '\u0664'}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got `٤`)",
    ),
    (
        "a share above 1",
        "run: {max_deleted_share: 1.5}",
        "{folder}/etlkit.yml:4: `run.max_deleted_share` must be a number from 0 to 1 (got `1.5`)",
    ),
    (
        "a share in percent",
        "run: {max_deleted_share: 50%}",
        "{folder}/etlkit.yml:4: `run.max_deleted_share` must be a number (got `50%`)",
    ),
    (
        "a share with a comma",
        "run: {max_deleted_share: '0,5'}",
        "{folder}/etlkit.yml:4: `run.max_deleted_share` must be a number (got `0,5`)",
    ),
    (
        "infinity",
        "run: {max_deleted_share: .inf}",
        "{folder}/etlkit.yml:4: `run.max_deleted_share` must be a number (got `.inf`)",
    ),
    (
        "no number",
        "run: {max_deleted_share: .nan}",
        "{folder}/etlkit.yml:4: `run.max_deleted_share` must be a number (got `.nan`)",
    ),
    (
        "an exponent beyond all bounds",
        "run: {max_deleted_share: 1e999}",
        "{folder}/etlkit.yml:4: `run.max_deleted_share` must be a number from 0 to 1 (got `1e999`)",
    ),
    (
        "retries below zero",
        "run: {retries: -1}",
        "{folder}/etlkit.yml:4: `run.retries` must be a whole number from 0 to 10 (got `-1`)",
    ),
    (
        "an executor that is nothing",
        "run: {executor: }",
        "{folder}/etlkit.yml:4: `run.executor` must be a text (got nothing)",
    ),
    (
        "an executor that is not installed",
        "run: {executor: daks}",
        "{folder}/etlkit.yml:4: `run.executor` is `daks`, which no plugin provides; known: {all}",
    ),
    (
        "an executor in another case",
        "run: {executor: Threads}",
        (
            "{folder}/etlkit.yml:4: `run.executor` is `Threads`, which no plugin provides; did you "
            "mean `threads`?"
        ),
    ),
    (
        "an unknown choice",
        "drift: {widen: evlove}",
        (
            "{folder}/etlkit.yml:4: `drift.widen` must be `evolve` or `refuse` (got `evlove`; did "
            "you mean `evolve`?)"
        ),
    ),
    (
        "a choice of another key",
        "drift: {drop_table: evolve}",
        "{folder}/etlkit.yml:4: `drift.drop_table` must be `keep` or `refuse` (got `evolve`)",
    ),
    (
        "no for a choice",
        "drift: {add_column: no}",
        "{folder}/etlkit.yml:4: `drift.add_column` must be `evolve`, `ignore` or `refuse` (got `no`)",
    ),
    (
        "a list of choices",
        "drift: {narrow: [keep, refuse]}",
        "{folder}/etlkit.yml:4: `drift.narrow` must be `keep` or `refuse` (got a list)",
    ),
    (
        "a name where a list is expected",
        "plugins: {disable: slow}",
        "{folder}/etlkit.yml:4: `plugins.disable` must be a list (got `slow`)",
    ),
    (
        "a mapping in a list of names",
        "plugins: {disable: [{slow: yes}]}",
        "{folder}/etlkit.yml:4: `plugins.disable[0]` must be a text (got a mapping)",
    ),
    (
        "nothing in a list of names",
        "plugins: {disable: [,]}",
        (
            "{folder}/etlkit.yml:4: is not YAML: did not find expected node content (a value is "
            "missing, or a bracket is not closed)"
        ),
    ),
    (
        "null in a list of names",
        "plugins: {disable: [null]}",
        "{folder}/etlkit.yml:4: `plugins.disable[0]` must be a text (got nothing)",
    ),
    (
        "a plugin that is not there",
        "plugins: {disable: [threats]}",
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names `threats`, but no such plugin is there; "
            "did you mean `threads`?"
        ),
    ),
    (
        "a plugin disabled twice",
        "plugins: {disable: [opendental, opendental]}",
        "{folder}/etlkit.yml:4: `plugins.disable[1]` is given twice (it is `opendental`)",
    ),
    (
        "an essential plugin disabled: the executor",
        "plugins: {disable: [threads]}",
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names `threads`, and no other plugin provides the executor "
            "`threads`, which loads the tables of a run (`run.executor`); take it off the list, or install another "
            "plugin that provides it"
        ),
    ),
    (
        "an essential plugin disabled: a strategy",
        "plugins: {disable: [full_table]}",
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names `full_table`, and no other plugin provides the strategy "
            "`full_table`, by which tables are loaded that nobody chose anything for, or that no other strategy can "
            "serve; take it off the list, or install another plugin that provides it"
        ),
    ),
    (
        "an essential plugin disabled: masking",
        "plugins: {disable: [masking]}\nmasking: {preset: hipaa_safe_harbor}",
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names `masking`, and no other plugin provides the conversions "
            "`drop`, `hmac`, `keep`, `year` and `zip3`, by which `masking.preset` decides what leaves the source; take "
            "it off the list, or install another plugin that provides them"
        ),
    ),
    (
        "an essential plugin disabled among others: what protected tables need",
        "plugins: {disable: [importance, masking]}\ntables: {patient: {protected: true}}",
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names `importance` and `masking`, and no other plugin provides "
            "the conversions `drop` and `keep`, by which the columns of protected tables are decided about "
            "(`tables.patient.protected`); take the one that does off the list, or install another plugin that "
            "provides them"
        ),
    ),
    (
        "a classifier that is not there",
        "plugins: {order: {classifiers: [opendentle]}}",
        (
            "{folder}/etlkit.yml:4: `plugins.order.classifiers` names `opendentle`, but no such "
            "classifier is there; did you mean `open_dental_names`?"
        ),
    ),
    (
        "a conversion that is not there, in the order",
        "plugins: {order: {conversions: [mask_it]}}",
        (
            "{folder}/etlkit.yml:4: `plugins.order.conversions` names `mask_it`, but no such "
            "conversion is there; did you mean `mask`?"
        ),
    ),
    (
        "a conversion twice in the order",
        "plugins: {order: {conversions: [tinyint_to_boolean, tinyint_to_boolean]}}",
        ("{folder}/etlkit.yml:4: `plugins.order.conversions[1]` is given twice (it is `tinyint_to_boolean`)"),
    ),
    (
        "a list for the order",
        "plugins: {order: [opendental]}",
        "{folder}/etlkit.yml:4: `plugins.order` must be a mapping of keys (got a list)",
    ),
    (
        "a list of tables",
        "tables: [patient]",
        "{folder}/etlkit.yml:4: `tables` must be a mapping of names (got a list)",
    ),
    (
        "a table that is a text",
        "tables: {patient: incremental}",
        "{folder}/etlkit.yml:4: `tables.patient` must be a mapping of keys (got `incremental`)",
    ),
    (
        "a table that is not there",
        "tables: {pateint: {exclude: yes}}",
        (
            "{folder}/etlkit.yml:4: `tables` names `pateint`, which tables.yml does not have (did "
            "you mean `patient`?); correct the name, or run `etlkit analyze` if the table is new"
        ),
    ),
    (
        "a table in another case",
        "tables: {Patient: {exclude: yes}}",
        (
            "{folder}/etlkit.yml:4: `tables` names `Patient`, which tables.yml does not have (did "
            "you mean `patient`?); correct the name, or run `etlkit analyze` if the table is new"
        ),
    ),
    (
        "a table near none",
        "tables: {zzz: {exclude: yes}}",
        (
            "{folder}/etlkit.yml:4: `tables` names `zzz`, which tables.yml does not have (known: "
            "{all}); correct the name, or run `etlkit analyze` if the table is new"
        ),
    ),
    (
        "a table without a name",
        "tables: {'': {exclude: yes}}",
        "{folder}/etlkit.yml:4: `tables` holds an empty name; write the name, or take it out",
    ),
    (
        "a date as a table",
        "tables: {2024-01-31: {exclude: yes}}",
        (
            "{folder}/etlkit.yml:4: `tables` names `2024-01-31`, which tables.yml does not have "
            "(known: {all}); correct the name, or run `etlkit analyze` if the table is new"
        ),
    ),
    (
        "a strategy that is not there",
        "tables: {patient: {extraction_strategy: incremantal}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.extraction_strategy` is `incremantal`, which no "
            "plugin provides; did you mean `incremental`?"
        ),
    ),
    (
        "a strategy that is a list",
        "tables: {patient: {extraction_strategy: [incremental]}}",
        "{folder}/etlkit.yml:4: `tables.patient.extraction_strategy` must be a text (got a list)",
    ),
    (
        "a strategy that is empty",
        "tables: {patient: {extraction_strategy: ''}}",
        "{folder}/etlkit.yml:4: `tables.patient.extraction_strategy` must be a name (got nothing)",
    ),
    (
        "an importance that nothing gives",
        "tables: {patient: {table_importance: crtical}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.table_importance` is `crtical`, a level that no "
            "table has; did you mean `critical`?"
        ),
    ),
    (
        "an empty importance",
        "tables: {patient: {table_importance: ''}}",
        "{folder}/etlkit.yml:4: `tables.patient.table_importance` must be a name (got nothing)",
    ),
    (
        "an empty cursor",
        "tables: {patient: {incremental_column: ''}}",
        "{folder}/etlkit.yml:4: `tables.patient.incremental_column` must be a name (got nothing)",
    ),
    (
        "a conversion that is not there",
        "tables: {patient: {column_overrides: {TxtMsgOk: {conversion: tinyint_to_bool}}}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.column_overrides.TxtMsgOk.conversion` is "
            "`tinyint_to_bool`, which no plugin provides; did you mean `tinyint_to_boolean`?"
        ),
    ),
    (
        "a policy that does not exist",
        "tables: {patient: {column_overrides: {TxtMsgOk: {policy: nul}}}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.column_overrides.TxtMsgOk.policy` must be "
            "`fail`, `null`, `replace` or `quarantine` (got `nul`; did you mean `null`?)"
        ),
    ),
    (
        "a type that is none",
        "tables: {patient: {column_overrides: {TxtMsgOk: {pg_type: 'text; drop table x'}}}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.column_overrides.TxtMsgOk.pg_type` must be a "
            "PostgreSQL type such as `numeric(12,2)` (got `text; drop table x`)"
        ),
    ),
    (
        "an empty type",
        "tables: {patient: {column_overrides: {TxtMsgOk: {pg_type: ''}}}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.column_overrides.TxtMsgOk.pg_type` must be a "
            "PostgreSQL type such as `numeric(12,2)` (got nothing)"
        ),
    ),
    (
        "columns as a list",
        "tables: {patient: {column_overrides: [TxtMsgOk]}}",
        ("{folder}/etlkit.yml:4: `tables.patient.column_overrides` must be a mapping of names (got a list)"),
    ),
    (
        "a conversion without its key",
        "tables: {patient: {column_overrides: {TxtMsgOk: mask}}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.column_overrides.TxtMsgOk` must be a mapping of "
            "keys (got `mask`)"
        ),
    ),
    (
        "an unknown key of a column",
        "tables: {patient: {column_overrides: {TxtMsgOk: {convertion: mask}}}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.column_overrides.TxtMsgOk` has no key "
            "`convertion` (did you mean `conversion`?)"
        ),
    ),
    (
        "a batch of no rows",
        "tables: {patient: {batch_size: 0}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.batch_size` must be a whole number from 1 to "
            "1000000 (got `0`)"
        ),
    ),
    (
        "a batch too large",
        "tables: {patient: {batch_size: 10000000}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.batch_size` must be a whole number from 1 to "
            "1000000 (got `10000000`)"
        ),
    ),
    (
        "a lookback below zero",
        "tables: {patient: {lookback_seconds: -1}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.lookback_seconds` must be a whole number from 0 "
            "to 31622400 (got `-1`)"
        ),
    ),
    (
        "a lookback with a unit",
        "tables: {patient: {lookback_seconds: 5m}}",
        "{folder}/etlkit.yml:4: `tables.patient.lookback_seconds` must be a whole number (got `5m`)",
    ),
    (
        "a lookback beyond all bounds",
        "tables: {patient: {lookback_seconds: 999999999999999999}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.lookback_seconds` must be a whole number from 0 "
            "to 31622400 (got `999999999999999999`)"
        ),
    ),
    (
        "an unknown handling of deletes",
        "tables: {patient: {deletes: soft}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.deletes` must be `hard`, `tombstone` or `ignore` "
            "(got `soft`)"
        ),
    ),
    (
        "a schedule that does not exist",
        "tables: {patient: {reconcile: hourly}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.reconcile` must be `every_run`, `daily`, "
            "`weekly` or `never` (got `hourly`)"
        ),
    ),
    (
        "true for a schedule",
        "tables: {patient: {reconcile: true}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.reconcile` must be `every_run`, `daily`, "
            "`weekly` or `never` (got `true`)"
        ),
    ),
    (
        "2 for a truth value",
        "tables: {patient: {exclude: 2}}",
        "{folder}/etlkit.yml:4: `tables.patient.exclude` must be true or false (got `2`)",
    ),
    (
        "a threshold above 1",
        "tables: {patient: {monitoring: {data_quality_threshold: 95}}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.monitoring.data_quality_threshold` must be a "
            "number from 0 to 1 (got `95`)"
        ),
    ),
    (
        "no minutes",
        "tables: {patient: {monitoring: {max_extraction_time_minutes: 0}}}",
        (
            "{folder}/etlkit.yml:4: `tables.patient.monitoring.max_extraction_time_minutes` must be "
            "a whole number from 1 to 10080 (got `0`)"
        ),
    ),
    (
        "a mapping for an option",
        "tables: {patient: {options: {days: {of: 30}}}}",
        "{folder}/etlkit.yml:4: `tables.patient.options.days` must be a text (got a mapping)",
    ),
    (
        "a password in the wrong place",
        "password: hunter2",
        "{folder}/etlkit.yml:4: the file has no key `password` (known keys: {all})",
    ),
    (
        "a password in the wrong section",
        "replica: {url: 'mysql://u@h/d', password: hunter2}",
        "{folder}/etlkit.yml:4: `replica` has no key `password` (did you mean `password_file`?)",
    ),
    (
        "an address as a key",
        "'mysql://u:hunter2@h/d': 1",
        "{folder}/etlkit.yml:4: the file has no key of that name (known keys: {all})",
    ),
    (
        "an address for a section",
        "replica: mysql://u:hunter2@h/d",
        "{folder}/etlkit.yml:4: `replica` must be a mapping of keys (got a text that is not shown)",
    ),
    (
        "an address for a number",
        "run: {threads: 'mysql://u:hunter2@h/d'}",
        "{folder}/etlkit.yml:4: `run.threads` must be a whole number (got a text that is not shown)",
    ),
    (
        "an address for a plugin",
        "plugins: {disable: ['mysql://u:hunter2@h/d']}",
        (
            "{folder}/etlkit.yml:4: `plugins.disable` names something that is not shown, but no such "
            "plugin is there; known: {all}"
        ),
    ),
    (
        "an address for a table",
        "tables: {'mysql://u:hunter2@h/d': {exclude: yes}}",
        (
            "{folder}/etlkit.yml:4: `tables` names something that is not shown, which tables.yml "
            "does not have (known: {all}); correct the name, or run `etlkit analyze` if the table is new"
        ),
    ),
    (
        "an address for an executor",
        "run: {executor: 'mysql://u:hunter2@h/d'}",
        (
            "{folder}/etlkit.yml:4: `run.executor` is something that is not shown, which no plugin "
            "provides; known: {all}"
        ),
    ),
    ("a replica without its address", "replica: {}", "{folder}/etlkit.yml:4: `replica` needs the key `url`"),
    (
        "an engine that keeps nothing",
        "replica: {url: 'mysql://u@h/d', engine: BLACKHOLE}",
        "{folder}/etlkit.yml:4: `replica.engine` must be `InnoDB` or `source` (got `BLACKHOLE`)",
    ),
    (
        "no engine",
        "replica: {url: 'mysql://u@h/d', engine: }",
        "{folder}/etlkit.yml:4: `replica.engine` must be `InnoDB` or `source` (got nothing)",
    ),
    (
        "no time for a replica's statement",
        "replica: {url: 'mysql://u@h/d', statement_seconds: 0}",
        (
            "{folder}/etlkit.yml:4: `replica.statement_seconds` must be a whole number from 1 to "
            "86400 (got `0`)"
        ),
    ),
    (
        "connections that a replica does not count",
        "replica: {url: 'mysql://u@h/d', connections: 2}",
        "{folder}/etlkit.yml:4: `replica` has no key `connections` (known keys: {all})",
    ),
    (
        "a replica that is PostgreSQL",
        "replica: {url: '${ETLKIT_WAREHOUSE_URL}'}",
        (
            "{folder}/etlkit.yml:4: `replica.url` must begin with `mysql://` or `mariadb://` (got "
            "`postgresql://`)"
        ),
    ),
    (
        "two places for a password",
        "replica: {url: 'mysql://u@h/d', password_file: a, password_command: b}",
        (
            "{folder}/etlkit.yml:4: `replica` has its password in `password_file` and in "
            "`password_command`; keep one"
        ),
    ),
    (
        "a password in the address and a file",
        "replica: {url: 'mysql://u:hunter2@h/d', password_file: a}",
        "{folder}/etlkit.yml:4: `replica` has its password in `url` and in `password_file`; keep one",
    ),
    (
        "a certificate for what is not verified",
        "replica: {url: 'mysql://u@h/d', insecure: yes, ca_file: a.pem}",
        (
            "{folder}/etlkit.yml:4: `replica` is `insecure` and has a `ca_file`, which nothing is "
            "verified by then; keep one"
        ),
    ),
    (
        "a replica that is the source",
        "replica: {url: '${ETLKIT_SOURCE_URL}'}",
        (
            "{folder}/etlkit.yml:4: `replica.url` is the source itself, which must not be written; "
            "name another database, or leave it out"
        ),
    ),
    (
        "several mistakes",
        "run: {thread: 2}\ndrift: {widen: no}\ntables: {patient: 1}",
        (
            "{folder}/etlkit.yml:4: `run` has no key `thread` (did you mean `threads`?)\n"
            "{folder}/etlkit.yml:5: `drift.widen` must be `evolve` or `refuse` (got `no`)\n"
            "{folder}/etlkit.yml:6: `tables.patient` must be a mapping of keys (got `1`)"
        ),
    ),
]

SECTIONS = [
    (
        "a name with a blank",
        servers(deployment="a b"),
        (
            "{folder}/etlkit.yml:1: `deployment` must be a name of letters, digits, `_`, `.` and `-` "
            "(got `a b`)"
        ),
    ),
    (
        "an empty name",
        servers(deployment="''"),
        (
            "{folder}/etlkit.yml:1: `deployment` must be a name of letters, digits, `_`, `.` and `-` "
            "(got nothing)"
        ),
    ),
    ("no name", servers(deployment=""), "{folder}/etlkit.yml:1: `deployment` must be a text (got nothing)"),
    (
        "null for a name",
        servers(deployment="null"),
        "{folder}/etlkit.yml:1: `deployment` must be a text (got nothing)",
    ),
    (
        "a name that begins with a dot",
        servers(deployment=".north"),
        (
            "{folder}/etlkit.yml:1: `deployment` must be a name of letters, digits, `_`, `.` and `-` "
            "(got `.north`)"
        ),
    ),
    (
        "a name of 64 characters",
        servers(deployment="n" * 64),
        (
            "{folder}/etlkit.yml:1: `deployment` must be a name of letters, digits, `_`, `.` and `-` "
            "(got a text that is not shown)"
        ),
    ),
    (
        "a name with umlauts",
        servers(deployment="nörd"),
        (
            "{folder}/etlkit.yml:1: `deployment` must be a name of letters, digits, `_`, `.` and `-` "
            "(got `nörd`)"
        ),
    ),
    (
        "a name with a line end",
        servers(deployment='"a\\nb"'),
        (
            "{folder}/etlkit.yml:1: `deployment` must be a name of letters, digits, `_`, `.` and `-` "
            "(got a text that is not shown)"
        ),
    ),
    (
        "a list for a name",
        servers(deployment="[north]"),
        "{folder}/etlkit.yml:1: `deployment` must be a text (got a list)",
    ),
    (
        "a name with a quote",
        servers(deployment='"x\'; drop table y"'),
        (
            "{folder}/etlkit.yml:1: `deployment` must be a name of letters, digits, `_`, `.` and `-` "
            "(got `x'; drop table y`)"
        ),
    ),
    (
        "a schema of PostgreSQL's own",
        servers(warehouse="schema: pg_raw"),
        (
            "{folder}/etlkit.yml:3: `warehouse.schema` must be a schema's name of 1 to 63 "
            "characters, none of PostgreSQL's own and not `etlkit` (got `pg_raw`)"
        ),
    ),
    (
        "information_schema",
        servers(warehouse="schema: information_schema"),
        (
            "{folder}/etlkit.yml:3: `warehouse.schema` must be a schema's name of 1 to 63 "
            "characters, none of PostgreSQL's own and not `etlkit` (got `information_schema`)"
        ),
    ),
    (
        "the schema of etlkit's records",
        servers(warehouse="schema: etlkit"),
        (
            "{folder}/etlkit.yml:3: `warehouse.schema` must be a schema's name of 1 to 63 "
            "characters, none of PostgreSQL's own and not `etlkit` (got `etlkit`)"
        ),
    ),
    (
        "a schema without a name",
        servers(warehouse="schema: ''"),
        (
            "{folder}/etlkit.yml:3: `warehouse.schema` must be a schema's name of 1 to 63 "
            "characters, none of PostgreSQL's own and not `etlkit` (got nothing)"
        ),
    ),
    (
        "null for a schema",
        servers(warehouse="schema: null"),
        "{folder}/etlkit.yml:3: `warehouse.schema` must be a text (got nothing)",
    ),
    (
        "a schema of 64 characters",
        servers(warehouse=f"schema: {'s' * 64}"),
        (
            "{folder}/etlkit.yml:3: `warehouse.schema` must be a schema's name of 1 to 63 "
            "characters, none of PostgreSQL's own and not `etlkit` (got a text that is not shown)"
        ),
    ),
    (
        "a schema of 64 bytes",
        servers(warehouse=f"schema: {'ü' * 32}"),
        (
            "{folder}/etlkit.yml:3: `warehouse.schema` must be a schema's name of at most 63 bytes "
            "(got `üüüüüüüüüüüüüüüüüüüüüüüüüüüüüüüü`)"
        ),
    ),
    (
        "a schema with a NUL",
        servers(warehouse='schema: "a\\0b"'),
        (
            "{folder}/etlkit.yml:3: `warehouse.schema` must be a schema's name of 1 to 63 "
            "characters, none of PostgreSQL's own and not `etlkit` (got `a\\x00b`)"
        ),
    ),
    (
        "a schema of blanks",
        servers(warehouse='schema: "  "'),
        (
            "{folder}/etlkit.yml:3: `warehouse.schema` must be a schema's name of 1 to 63 "
            "characters, none of PostgreSQL's own and not `etlkit` (got `  `)"
        ),
    ),
    (
        "a schema with a line end",
        servers(warehouse='schema: "a\\nb"'),
        (
            "{folder}/etlkit.yml:3: `warehouse.schema` must be a schema's name of 1 to 63 "
            "characters, none of PostgreSQL's own and not `etlkit` (got a text that is not shown)"
        ),
    ),
    (
        "a lone surrogate in a schema",
        servers(warehouse='schema: "\\ud800"'),
        (
            "{folder}/etlkit.yml:3: is not YAML: found invalid Unicode character escape code (in "
            "double quotes a `\\` is written `\\\\`; single quotes keep it as it is)"
        ),
    ),
    (
        "a list for a schema",
        servers(warehouse="schema: [raw]"),
        "{folder}/etlkit.yml:3: `warehouse.schema` must be a text (got a list)",
    ),
    (
        "hours without minutes",
        servers(source="allowed_hours: 20-6"),
        (
            "{folder}/etlkit.yml:2: `source.allowed_hours` must be two different times of day such "
            "as `20:00-06:00` (got `20-6`)"
        ),
    ),
    (
        "an hour that does not exist",
        servers(source="allowed_hours: 25:00-06:00"),
        (
            "{folder}/etlkit.yml:2: `source.allowed_hours` must be two different times of day such "
            "as `20:00-06:00` (got `25:00-06:00`)"
        ),
    ),
    (
        "a minute that does not exist",
        servers(source="allowed_hours: 20:60-06:00"),
        (
            "{folder}/etlkit.yml:2: `source.allowed_hours` must be two different times of day such "
            "as `20:00-06:00` (got `20:60-06:00`)"
        ),
    ),
    (
        "hours that begin and end at once",
        servers(source="allowed_hours: 06:00-06:00"),
        (
            "{folder}/etlkit.yml:2: `source.allowed_hours` must be two different times of day such "
            "as `20:00-06:00` (got `06:00-06:00`; leave the key out to allow every hour)"
        ),
    ),
    (
        "one time of day",
        servers(source="allowed_hours: 20:00"),
        (
            "{folder}/etlkit.yml:2: `source.allowed_hours` must be two different times of day such "
            "as `20:00-06:00` (got `20:00`)"
        ),
    ),
    (
        "a list of hours",
        servers(source="allowed_hours: [20:00-22:00, 23:00-06:00]"),
        (
            "{folder}/etlkit.yml:2: `source.allowed_hours` must be two different times of day such "
            "as `20:00-06:00` (got a list)"
        ),
    ),
    (
        "hours with seconds",
        servers(source="allowed_hours: 20:00:00-06:00:00"),
        (
            "{folder}/etlkit.yml:2: `source.allowed_hours` must be two different times of day such "
            "as `20:00-06:00` (got `20:00:00-06:00:00`)"
        ),
    ),
    (
        "hours of another clock",
        servers(source="allowed_hours: 8pm-6am"),
        (
            "{folder}/etlkit.yml:2: `source.allowed_hours` must be two different times of day such "
            "as `20:00-06:00` (got `8pm-6am`)"
        ),
    ),
    (
        "a dash for a hyphen",
        servers(source="allowed_hours: 20:00\u201306:00"),
        (
            "{folder}/etlkit.yml:2: `source.allowed_hours` must be two different times of day such "
            "as `20:00-06:00` (got `20:00\u201306:00`)"
        ),
    ),
    (
        "no connection",
        servers(source="connections: 0"),
        "{folder}/etlkit.yml:2: `source.connections` must be a whole number from 1 to 16 (got `0`)",
    ),
    (
        "too many connections",
        servers(source="connections: 17"),
        "{folder}/etlkit.yml:2: `source.connections` must be a whole number from 1 to 16 (got `17`)",
    ),
    (
        "no second for a statement",
        servers(source="statement_seconds: 0"),
        (
            "{folder}/etlkit.yml:2: `source.statement_seconds` must be a whole number from 1 to "
            "86400 (got `0`)"
        ),
    ),
    (
        "more than a day for a statement",
        servers(source="statement_seconds: 86401"),
        (
            "{folder}/etlkit.yml:2: `source.statement_seconds` must be a whole number from 1 to "
            "86400 (got `86401`)"
        ),
    ),
    (
        "maybe insecure",
        servers(source="insecure: maybe"),
        "{folder}/etlkit.yml:2: `source.insecure` must be true or false (got `maybe`)",
    ),
    (
        "insecure is 1",
        servers(source="insecure: 1"),
        "{folder}/etlkit.yml:2: `source.insecure` must be true or false (got `1`)",
    ),
    (
        "no path for a certificate",
        servers(source="ca_file: ''"),
        "{folder}/etlkit.yml:2: `source.ca_file` must be a path (got nothing)",
    ),
    (
        "a list of certificates",
        servers(source="ca_file: [a.pem]"),
        "{folder}/etlkit.yml:2: `source.ca_file` must be a path (got a list)",
    ),
    (
        "a home of nobody",
        servers(source="ca_file: ~nobodyatall/ca.pem"),
        (
            "{folder}/etlkit.yml:2: `source.ca_file` must be a path (got `~nobodyatall/ca.pem`; "
            "there is no such user)"
        ),
    ),
    (
        "a NUL in a path",
        servers(source='ca_file: "a\\0b"'),
        "{folder}/etlkit.yml:2: `source.ca_file` must be a path (got `a\\x00b`)",
    ),
    (
        "a certificate that is not there",
        servers(source="ca_file: ca.pem"),
        (
            "{folder}/etlkit.yml:2: `source.ca_file`: {folder}/ca.pem cannot be read (No such file "
            "or directory)"
        ),
    ),
    (
        "a folder of certificates",
        servers(source="ca_file: ."),
        "{folder}/etlkit.yml:2: `source.ca_file`: {folder} cannot be read (Is a directory)",
    ),
    (
        "a certificate that is none",
        servers(source="ca_file: etlkit.yml"),
        (
            "{folder}/etlkit.yml:2: `source.ca_file`: {folder}/etlkit.yml holds no certificates in "
            "the form PEM"
        ),
    ),
    (
        "a certificate for the warehouse that is not there",
        servers(warehouse="ca_file: ca.pem"),
        (
            "{folder}/etlkit.yml:3: `warehouse.ca_file`: {folder}/ca.pem cannot be read (No such "
            "file or directory)"
        ),
    ),
    (
        "a certificate for the warehouse that is none",
        servers(warehouse="ca_file: etlkit.yml"),
        (
            "{folder}/etlkit.yml:3: `warehouse.ca_file`: {folder}/etlkit.yml holds no certificates "
            "in the form PEM"
        ),
    ),
]

CASES = (*line_4("a value", ROWS), *whole("a value of a server", "etlkit.yml", SECTIONS))
