"""etlkit.yml as a whole: what is no file, no text, no YAML, or YAML that does not say what it means."""

from __future__ import annotations

from support.bad_input.case import FOLDER, Link, servers, whole

ROWS = [
    ("it is not there", None, "{folder}/etlkit.yml: is not there; `etlkit init -C {folder}` writes one"),
    ("it is empty", b"", "{folder}/etlkit.yml: is empty; a mapping of keys was expected"),
    ("only a comment", b"# north\n", "{folder}/etlkit.yml: is empty; a mapping of keys was expected"),
    (
        "only blanks and line ends",
        b" \n\n\n",
        "{folder}/etlkit.yml: is empty; a mapping of keys was expected",
    ),
    ("a folder of its name", FOLDER, "{folder}/etlkit.yml: cannot be read (Is a directory)"),
    ("a link to nothing", Link("nowhere.yml"), "{folder}/etlkit.yml: is a link to a file that is not there"),
    (
        "a link to itself",
        Link("etlkit.yml"),
        "{folder}/etlkit.yml: cannot be read (Too many levels of symbolic links)",
    ),
    (
        "latin-1",
        b"deployment: north\n# f\xfcr Nord\n",
        "{folder}/etlkit.yml:2: is not UTF-8; save the file in that encoding",
    ),
    (
        "UTF-16 with a byte order mark",
        "deployment: north\n".encode("utf-16"),
        "{folder}/etlkit.yml:1: is not UTF-8; save the file in that encoding",
    ),
    (
        "a NUL",
        b"deployment: no\0rth\n",
        "{folder}/etlkit.yml:1: holds a character that YAML does not allow (`\\x00`); delete it",
    ),
    (
        "a control character",
        b"deployment: north\nrun: {executor: a\x1b[31mb}\n",
        "{folder}/etlkit.yml:2: holds a character that YAML does not allow (`\\x1b`); delete it",
    ),
    (
        "a tab before a key",
        b"source:\n\turl: x\n",
        "{folder}/etlkit.yml:2: is indented with a tab; YAML wants spaces",
    ),
    (
        "a tab behind blanks",
        b"source:\n  \turl: x\n",
        "{folder}/etlkit.yml:2: is indented with a tab; YAML wants spaces",
    ),
    (
        "a key given twice",
        servers() + "deployment: south\n",
        "{folder}/etlkit.yml:4: `deployment` is given twice (first in line 1)",
    ),
    (
        "a key given twice in a section",
        b"source:\n  insecure: yes\n  insecure: no\n",
        "{folder}/etlkit.yml:3: `source.insecure` is given twice (first in line 2)",
    ),
    (
        "an anchor",
        servers() + "run: &fast {threads: 4}\n",
        "{folder}/etlkit.yml:4: `run` has an anchor (`&`); write values out, or put the text in quotes",
    ),
    (
        "an alias",
        servers() + "replica: *fast\n",
        (
            "{folder}/etlkit.yml:4: `replica` refers to an anchor (`*`); write the value out, or put "
            "it in quotes"
        ),
    ),
    (
        "a merge key",
        servers() + "run:\n  <<: {threads: 4}\n",
        "{folder}/etlkit.yml:5: a merge key (`<<`) is not understood; write the keys out",
    ),
    (
        "a tag",
        servers() + "run: {threads: !!int '4'}\n",
        (
            "{folder}/etlkit.yml:4: `run.threads` has a tag (`!`); types follow from the key, put "
            "the text in quotes"
        ),
    ),
    (
        "a tag that would run code",
        servers() + "run: !!python/object/apply:os.system ['touch owned']\n",
        ("{folder}/etlkit.yml:4: `run` has a tag (`!`); types follow from the key, put the text in quotes"),
    ),
    (
        "a second document",
        servers() + "---\ndeployment: south\n",
        "{folder}/etlkit.yml:4: begins a second document; one file holds one",
    ),
    (
        "a list",
        b"- deployment: north\n",
        "{folder}/etlkit.yml:1: the file must be a mapping of keys (got a list)",
    ),
    ("a text", b"north\n", "{folder}/etlkit.yml:1: the file must be a mapping of keys (got a single text)"),
    (
        "JSON that is cut off",
        b'{"deployment": "north", "source": {',
        (
            "{folder}/etlkit.yml:2: is not YAML: did not find expected node content (a value is "
            "missing, or a bracket is not closed)"
        ),
    ),
    (
        "a bracket that is not closed",
        servers() + "plugins: {disable: [slow}\n",
        (
            "{folder}/etlkit.yml:4: is not YAML: did not find expected ',' or ']' (a bracket is not "
            "closed, or a `,` is missing)"
        ),
    ),
    (
        "a quote that is not closed",
        servers() + "run: {executor: 'threads}\n",
        (
            "{folder}/etlkit.yml:4: is not YAML: found unexpected end of stream (a quote or a "
            "bracket is not closed)"
        ),
    ),
    (
        "a colon in a text without quotes",
        servers() + "run: executor: threads\n",
        (
            "{folder}/etlkit.yml:4: is not YAML: mapping values are not allowed in this context (a "
            "`:` within a text wants quotes around it, and a key a line of its own)"
        ),
    ),
    (
        "a key without a colon",
        servers() + "run\n",
        (
            "{folder}/etlkit.yml:4: is not YAML: could not find expected ':' (a key wants a `:` and "
            "a blank behind it)"
        ),
    ),
    (
        "a value below its key",
        b"deployment: north\n north: south\n",
        (
            "{folder}/etlkit.yml:2: is not YAML: mapping values are not allowed in this context (a "
            "`:` within a text wants quotes around it, and a key a line of its own)"
        ),
    ),
    (
        "indented less than its section",
        b"source:\n    url: x\n  insecure: yes\n",
        (
            "{folder}/etlkit.yml:3: is not YAML: did not find expected key (the line is indented "
            "otherwise than those above it)"
        ),
    ),
    (
        "a mapping as a key",
        servers() + "? {a: b}\n: c\n",
        "{folder}/etlkit.yml:4: a key must be a single text",
    ),
    ("a list as a key", servers() + "[a]: b\n", "{folder}/etlkit.yml:4: a key must be a single text"),
    (
        "a percent at the beginning",
        servers() + "run: {executor: %threads}\n",
        (
            "{folder}/etlkit.yml:4: is not YAML: found character that cannot start any token (put "
            "the text in quotes)"
        ),
    ),
    (
        "an at at the beginning",
        servers() + "run: {executor: @threads}\n",
        (
            "{folder}/etlkit.yml:4: is not YAML: found character that cannot start any token (put "
            "the text in quotes)"
        ),
    ),
    (
        "a backtick at the beginning",
        servers() + "run: {executor: `threads`}\n",
        (
            "{folder}/etlkit.yml:4: is not YAML: found character that cannot start any token (put "
            "the text in quotes)"
        ),
    ),
    (
        "an escape that does not exist",
        servers() + 'run: {executor: "\\threads\\d"}\n',
        (
            "{folder}/etlkit.yml:4: is not YAML: found unknown escape character (in double quotes a "
            "`\\` is written `\\\\`; single quotes keep it as it is)"
        ),
    ),
    (
        "a YAML directive of version 3",
        b"%YAML 3.0\n---\ndeployment: north\n",
        "{folder}/etlkit.yml:1: is not YAML: found incompatible YAML document",
    ),
    (
        "a billion laughs",
        b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
        (
            "{folder}/etlkit.yml:1: `a` has an anchor (`&`); write values out, or put the text in "
            "quotes\n"
            "{folder}/etlkit.yml:2: `b[0]` refers to an anchor (`*`); write the value out, or put it "
            "in quotes\n"
            "{folder}/etlkit.yml:2: `b[1]` refers to an anchor (`*`); write the value out, or put it "
            "in quotes\n"
            "{folder}/etlkit.yml:2: `b` has an anchor (`&`); write values out, or put the text in "
            "quotes\n"
            "{folder}/etlkit.yml:3: `c[0]` refers to an anchor (`*`); write the value out, or put it "
            "in quotes\n"
            "{folder}/etlkit.yml:3: `c[1]` refers to an anchor (`*`); write the value out, or put it "
            "in quotes\n"
            "{folder}/etlkit.yml:3: `c` has an anchor (`&`); write values out, or put the text in quotes"
        ),
    ),
    (
        "10,000 levels of lists",
        b"tables: " + b"[" * 10000 + b"]" * 10000,
        "{folder}/etlkit.yml:1: is not YAML: exceeded maximum nesting depth",
    ),
    (
        "10,000 levels of mappings",
        b"tables: " + b"{a: " * 10000 + b"}" * 10000,
        "{folder}/etlkit.yml:1: is nested deeper than 20 levels",
    ),
    (
        "10,000 levels of indentation",
        b"".join(b" " * i + b"a:\n" for i in range(1000)),
        "{folder}/etlkit.yml:21: is nested deeper than 20 levels",
    ),
    (
        "a very large file",
        b"# " + b"x" * (40 * 2**20) + b"\n",
        "{folder}/etlkit.yml: is larger than 16.0 MB, which no file of a deployment is",
    ),
    (
        "Windows line ends and a mark",
        b"\xef\xbb\xbfdeployment: north\r\nsource: {url: x, port: 3306}\r\n",
        (
            "{folder}/etlkit.yml:1: the file needs the key `warehouse`\n"
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (there is no `://` in it)\n"
            "{folder}/etlkit.yml:2: `source` has no key `port` (known keys: {all})"
        ),
    ),
    (
        "a merge conflict",
        b"<<<<<<< HEAD\ndeployment: north\n=======\ndeployment: south\n>>>>>>> other\n",
        ("{folder}/etlkit.yml:1: holds the marks of a merge conflict; choose one side and delete the marks"),
    ),
    (
        "an ini file",
        b"[source]\nurl = mysql://reader:hunter2@clinic/od\n",
        (
            "{folder}/etlkit.yml:2: is not YAML: did not find expected <document start> (write `key: "
            "value` lines)"
        ),
    ),
    (
        "lone surrogates escaped",
        servers() + 'run: {executor: "\\ud800"}\n',
        (
            "{folder}/etlkit.yml:4: is not YAML: found invalid Unicode character escape code (in "
            "double quotes a `\\` is written `\\\\`; single quotes keep it as it is)"
        ),
    ),
]

CASES = whole("etlkit.yml", "etlkit.yml", ROWS)
