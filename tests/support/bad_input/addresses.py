"""Addresses of databases."""

from __future__ import annotations

from support.bad_input.case import Bad

SOURCE, WAREHOUSE = "ETLKIT_SOURCE_URL", "ETLKIT_WAREHOUSE_URL"

ROWS = [
    (
        "nothing",
        SOURCE,
        "",
        (
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (it is empty)"
        ),
    ),
    (
        "blanks",
        SOURCE,
        "   ",
        (
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (it is empty)"
        ),
    ),
    (
        "a host alone",
        SOURCE,
        "clinic",
        (
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (there is no `://` in it)"
        ),
    ),
    (
        "a scheme alone",
        SOURCE,
        "mysql://",
        "{folder}/etlkit.yml:2: `source.url` names no database; put `/database` behind the host",
    ),
    (
        "one slash",
        SOURCE,
        "mysql:/clinic/od",
        (
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (there is no `://` in it)"
        ),
    ),
    (
        "another scheme",
        SOURCE,
        "http://reader:hunter2@clinic/od",
        "{folder}/etlkit.yml:2: `source.url` must begin with `mysql://` or `mariadb://` (got `http://`)",
    ),
    (
        "a scheme with a slip",
        SOURCE,
        "mysq://reader:hunter2@clinic/od",
        "{folder}/etlkit.yml:2: `source.url` must begin with `mysql://` or `mariadb://` (got `mysq://`)",
    ),
    (
        "jdbc",
        SOURCE,
        "jdbc:mysql://clinic:3306/od?user=reader&password=hunter2",
        (
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (it begins with something else)"
        ),
    ),
    (
        "PostgreSQL for the source",
        SOURCE,
        "postgresql://reader:hunter2@clinic/od",
        (
            "{folder}/etlkit.yml:2: `source.url` must begin with `mysql://` or `mariadb://` (got "
            "`postgresql://`)"
        ),
    ),
    (
        "MySQL for the warehouse",
        WAREHOUSE,
        "mysql://reader:hunter2@clinic/od",
        (
            "{folder}/etlkit.yml:3: `warehouse.url` must begin with `postgresql://` or `postgres://` "
            "(got `mysql://`)"
        ),
    ),
    (
        "another driver",
        SOURCE,
        "mysql+mysqldb://reader:hunter2@clinic/od",
        (
            "{folder}/etlkit.yml:2: `source.url` must begin with `mysql://` or `mariadb://` (got "
            "`mysql+mysqldb://`)"
        ),
    ),
    (
        "psycopg 3",
        WAREHOUSE,
        "postgresql+psycopg://etl:hunter2@wh/dental",
        (
            "{folder}/etlkit.yml:3: `warehouse.url` must begin with `postgresql://` or `postgres://` "
            "(got `postgresql+psycopg://`)"
        ),
    ),
    (
        "libpq's words",
        WAREHOUSE,
        "host=wh dbname=dental password=hunter2",
        (
            "{folder}/etlkit.yml:3: `warehouse.url` must be an address such as "
            "`postgresql://user:password@host:5432/database` (there is no `://` in it)"
        ),
    ),
    (
        "no database",
        SOURCE,
        "mysql://reader:hunter2@clinic",
        "{folder}/etlkit.yml:2: `source.url` names no database; put `/database` behind the host",
    ),
    (
        "a slash for a database",
        SOURCE,
        "mysql://reader:hunter2@clinic/",
        "{folder}/etlkit.yml:2: `source.url` names no database; put `/database` behind the host",
    ),
    (
        "a port that is a word",
        SOURCE,
        "mysql://reader:hunter2@clinic:port/od",
        (
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (host or port cannot be told)"
        ),
    ),
    (
        "a port of 0",
        SOURCE,
        "mysql://reader:hunter2@clinic:0/od",
        "{folder}/etlkit.yml:2: `source.url` has an impossible port; ports go from 1 to 65535",
    ),
    (
        "a port beyond 65535",
        SOURCE,
        "mysql://reader:hunter2@clinic:65536/od",
        "{folder}/etlkit.yml:2: `source.url` has an impossible port; ports go from 1 to 65535",
    ),
    (
        "a port below zero",
        SOURCE,
        "mysql://reader:hunter2@clinic:-1/od",
        "{folder}/etlkit.yml:2: `source.url` has an impossible port; ports go from 1 to 65535",
    ),
    (
        "a port of 30 digits",
        SOURCE,
        "mysql://reader:hunter2@clinic:333333333333333333333333333333/od",
        "{folder}/etlkit.yml:2: `source.url` has an impossible port; ports go from 1 to 65535",
    ),
    (
        "an empty port",
        SOURCE,
        "mysql://reader:hunter2@clinic:/od",
        (
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (host or port cannot be told)"
        ),
    ),
    (
        "a blank in the host",
        SOURCE,
        "mysql://reader:hunter2@the clinic/od",
        (
            "{folder}/etlkit.yml:2: `source.url` has an impossible host; write `@` in a password as "
            "`%40`, `/` as `%2F`, `:` as `%3A`"
        ),
    ),
    (
        "a line end in the middle",
        SOURCE,
        "mysql://reader:hunter2@cli\nnic/od",
        (
            "{folder}/etlkit.yml:2: `source.url` has an impossible host; write `@` in a password as "
            "`%40`, `/` as `%2F`, `:` as `%3A`"
        ),
    ),
    (
        "a NUL in the database",
        SOURCE,
        "mysql://reader:hunter2@clinic/o%00d",
        "{folder}/etlkit.yml:2: `source.url` holds a NUL, which no server takes",
    ),
    (
        "a NUL in the user",
        WAREHOUSE,
        "postgresql://r%00:hunter2@wh/d",
        "{folder}/etlkit.yml:3: `warehouse.url` holds a NUL, which no server takes",
    ),
    (
        "a NUL in the password",
        WAREHOUSE,
        "postgresql://r:hunter2%00@wh/d",
        "{folder}/etlkit.yml:3: `warehouse.url` holds a NUL, which no server takes",
    ),
    (
        "an at in the password",
        SOURCE,
        "mysql://reader:hun@ter2@clinic/od",
        (
            "{folder}/etlkit.yml:2: `source.url` has an impossible host; write `@` in a password as "
            "`%40`, `/` as `%2F`, `:` as `%3A`"
        ),
    ),
    (
        "percent codes that are not UTF-8",
        SOURCE,
        "mysql://reader:hunter2%ff@clinic/od",
        "{folder}/etlkit.yml:2: `source.url` holds percent codes that are not UTF-8",
    ),
    (
        "an unknown option",
        SOURCE,
        "mysql://reader:hunter2@clinic/od?charset=latin1",
        "{folder}/etlkit.yml:2: `source.url` has an unknown option `?charset=` (known options: {all})",
    ),
    (
        "an option with a slip",
        SOURCE,
        "mysql://reader:hunter2@/od?unix_sockt=/run/my.sock",
        (
            "{folder}/etlkit.yml:2: `source.url` has an unknown option `?unix_sockt=` (did you mean "
            "`unix_socket`?)"
        ),
    ),
    (
        "sslmode",
        WAREHOUSE,
        "postgresql://etl:hunter2@wh/dental?sslmode=require",
        (
            "{folder}/etlkit.yml:3: `warehouse.url` has an unknown option `?sslmode=` (encryption is "
            "chosen by `ca_file` and `insecure` beside `url`)"
        ),
    ),
    (
        "a password among the options",
        WAREHOUSE,
        "postgresql://etl@wh/dental?password=hunter2",
        ("{folder}/etlkit.yml:3: `warehouse.url` has an unknown option `?password=` (known options: {all})"),
    ),
    (
        "a socket and a host",
        SOURCE,
        "mysql://reader:hunter2@clinic/od?unix_socket=/run/my.sock",
        (
            "{folder}/etlkit.yml:2: `source.url` says twice where the server is; keep one of host, "
            "`?host=` and `?unix_socket=`"
        ),
    ),
    (
        "two hosts",
        WAREHOUSE,
        "postgresql://etl:hunter2@wh/dental?host=other",
        (
            "{folder}/etlkit.yml:3: `warehouse.url` says twice where the server is; keep one of "
            "host, `?host=` and `?unix_socket=`"
        ),
    ),
    (
        "an option twice",
        WAREHOUSE,
        "postgresql://etl:hunter2@/dental?host=/run/a&host=/run/b",
        "{folder}/etlkit.yml:3: `warehouse.url` has the option `?host=` twice; keep one",
    ),
    (
        "an empty socket",
        SOURCE,
        "mysql://reader:hunter2@/od?unix_socket=",
        (
            "{folder}/etlkit.yml:2: `source.url` has nothing behind `?unix_socket=`; write the "
            "value, or take the option out"
        ),
    ),
    (
        "a relative socket",
        SOURCE,
        "mysql://reader:hunter2@/od?unix_socket=my.sock",
        ("{folder}/etlkit.yml:2: `source.url` has a socket that is no absolute path; write it from `/` on"),
    ),
    (
        "an IPv6 address without brackets",
        SOURCE,
        "mysql://reader:hunter2@::1/od",
        (
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (host or port cannot be told)"
        ),
    ),
    (
        "an IPv6 address with one bracket",
        SOURCE,
        "mysql://reader:hunter2@[::1/od",
        (
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (host or port cannot be told)"
        ),
    ),
    (
        "an IPv6 address that is none",
        SOURCE,
        "mysql://reader:hunter2@[::zz]/od",
        (
            "{folder}/etlkit.yml:2: `source.url` has an impossible host; write `@` in a password as "
            "`%40`, `/` as `%2F`, `:` as `%3A`"
        ),
    ),
    (
        "quotes around it",
        SOURCE,
        "'mysql://reader:hunter2@clinic/od'",
        (
            "{folder}/etlkit.yml:2: `source.url` must be an address such as "
            "`mysql://user:password@host:3306/database` (it begins with something else)"
        ),
    ),
    (
        "a path behind the database",
        SOURCE,
        "mysql://reader:hunter2@clinic/od/patient",
        (
            "{folder}/etlkit.yml:2: `source.url` has a `/` in the database's name; write it as `%2F` "
            "if it is meant"
        ),
    ),
    (
        "a fragment",
        SOURCE,
        "mysql://reader:hunter2@clinic/od#x",
        (
            "{folder}/etlkit.yml:2: `source.url` has a `#` in the database's name; write it as `%23` "
            "if it is meant"
        ),
    ),
    (
        "an escape sequence in the host",
        SOURCE,
        "mysql://reader:hunter2@cli\x1b[31mnic/od",
        (
            "{folder}/etlkit.yml:2: `source.url` has an impossible host; write `@` in a password as "
            "`%40`, `/` as `%2F`, `:` as `%3A`"
        ),
    ),
    (
        "a right-to-left mark in the host",
        SOURCE,
        "mysql://reader:hunter2@cli\u202enic/od",
        (
            "{folder}/etlkit.yml:2: `source.url` has an impossible host; write `@` in a password as "
            "`%40`, `/` as `%2F`, `:` as `%3A`"
        ),
    ),
    (
        "a database of 65 characters",
        SOURCE,
        "mysql://reader:hunter2@clinic/" + "d" * 65,
        (
            "{folder}/etlkit.yml:2: `source.url` names a database of more than 64 characters, which "
            "the server cannot have"
        ),
    ),
    (
        "a database of 64 bytes",
        WAREHOUSE,
        "postgresql://etl:hunter2@wh/" + "d" * 64,
        (
            "{folder}/etlkit.yml:3: `warehouse.url` names a database of more than 63 bytes, which "
            "the server cannot have"
        ),
    ),
    (
        "a host of 300 characters",
        SOURCE,
        "mysql://reader:hunter2@" + "h" * 300 + "/od",
        (
            "{folder}/etlkit.yml:2: `source.url` has an impossible host; write `@` in a password as "
            "`%40`, `/` as `%2F`, `:` as `%3A`"
        ),
    ),
    (
        "an empty label in the host",
        SOURCE,
        "mysql://reader:hunter2@clinic..example/od",
        (
            "{folder}/etlkit.yml:2: `source.url` has an impossible host; write `@` in a password as "
            "`%40`, `/` as `%2F`, `:` as `%3A`"
        ),
    ),
    (
        "the server's own database",
        SOURCE,
        "mysql://reader:hunter2@clinic/mysql",
        ("{folder}/etlkit.yml:2: `source.url` names `mysql`, which is the server's own database; name yours"),
    ),
    (
        "a template of databases",
        WAREHOUSE,
        "postgresql://etl:hunter2@wh/template1",
        (
            "{folder}/etlkit.yml:3: `warehouse.url` names `template1`, which is the server's own "
            "database; name yours"
        ),
    ),
    (
        "the scheme twice",
        SOURCE,
        "mysql://mysql://reader:hunter2@clinic/od",
        (
            "{folder}/etlkit.yml:2: `source.url` holds `://` twice; write `:` in a password as "
            "`%3A`, `/` as `%2F`"
        ),
    ),
]

CASES = tuple(Bad(kind="an address", what=what, env={name: url}, says=says) for what, name, url, says in ROWS)
