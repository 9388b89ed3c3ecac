"""A dozen tables with Open Dental's habits, for tests that need a schema and hardly any rows."""

from __future__ import annotations

from support.databases import SourceDatabase

STAMP = "timestamp not null default current_timestamp on update current_timestamp"
"""A column that the server stamps at every change of its row."""

TABLES: dict[str, str] = {
    "appointment": (
        "AptNum bigint(20) not null auto_increment primary key, PatNum bigint(20) not null,"
        " AptStatus tinyint(3) unsigned not null, ProvNum bigint(20) not null,"
        " NextAptNum bigint(20) not null, AptDateTime datetime not null default '0001-01-01 00:00:00',"
        f" DateTStamp {STAMP}, key indexPatNum (PatNum), key DateTStamp (DateTStamp)"
    ),
    "clockevent": (
        "ClockEventNum bigint(20) not null auto_increment primary key, UserNum bigint(20) not null,"
        " TimeEntered1 datetime not null default '0001-01-01 00:00:00', Adjust time not null"
    ),
    "dashboardcell": (
        "DashboardCellNum bigint(20) not null auto_increment primary key, `row` int(11) not null,"
        " `Column` int(11) not null, LastQueryTime datetime not null default '0001-01-01 00:00:00'"
    ),
    "ehrpatient": "PatNum bigint(20) not null primary key, MedicaidState varchar(50) not null",
    "feeimport": "ProcCode varchar(15) not null, FeeDate varchar(20) not null, Amount double not null",
    "patient": (
        "PatNum bigint(20) not null auto_increment primary key, LName varchar(100) not null default '',"
        " Guarantor bigint(20) not null, PriProv bigint(20) not null, TxtMsgOk tinyint(4) not null,"
        " HasSuperBilling tinyint(1) not null, Birthdate date not null default '0001-01-01',"
        " DateTimeDeceased datetime not null default '0001-01-01 00:00:00', AddrNote text,"
        f" SecDateTEdit {STAMP} comment 'last edit', key indexLName (LName(30)), key Guarantor (Guarantor)"
    ),
    "patientnote": "PatNum bigint(20) not null primary key, FamFinancial text, Medical text",
    "procedurelog": (
        "ProcNum bigint(20) not null auto_increment primary key, PatNum bigint(20) not null,"
        " AptNum bigint(20) not null, ProvNum bigint(20) not null, ProcFee double not null default 0,"
        " ProcDate date not null default '0001-01-01', SecDateEntry date not null default '0001-01-01',"
        f" DateTStamp {STAMP}, key indexPatNum (PatNum), key indexAptNum (AptNum)"
    ),
    "provider": (
        "ProvNum bigint(20) not null auto_increment primary key, Abbr varchar(255) not null default '',"
        " IsHidden tinyint(3) unsigned not null"
    ),
    "securitylog": (
        "SecurityLogNum bigint(20) not null auto_increment primary key, PermType smallint(6) not null,"
        " UserNum bigint(20) not null, LogDateTime datetime not null default '0001-01-01 00:00:00',"
        " LogText text, PatNum bigint(20) not null, key PatNum (PatNum)"
    ),
    "tempConv_patient1": (
        "PatNum bigint(20) not null auto_increment primary key, LName varchar(100) not null"
    ),
    "userod": (
        "UserNum bigint(20) not null auto_increment primary key, UserName varchar(255) not null,"
        " ProvNum bigint(20) not null"
    ),
    "xpatientlink": "PatNum bigint(20) not null primary key, PatNumTo bigint(20) not null",
}
"""Columns and keys by table."""

ROWS = 3
"""Rows of `patient`; the other tables have none."""


def create_dental_schema(source: SourceDatabase) -> None:
    """Create the tables, a view `v_patient`, and a few patients.

    Args:
        source: An empty database.
    """
    source.execute(
        *(f"create table `{name}` ({columns})" for name, columns in TABLES.items()),
        "create view v_patient as select PatNum, LName from patient",
        "insert into patient (LName, Guarantor, PriProv, TxtMsgOk, HasSuperBilling)"
        " values ('a', 1, 1, 0, 0), ('b', 1, 1, 1, 0), ('c', 3, 1, 2, 1)",
    )
