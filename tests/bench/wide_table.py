"""The table that the benchmark moves: 61 columns with Open Dental's mixture of types, made by the source itself."""

from __future__ import annotations

from etlkit.demo import PrivateMariaDB

TABLE = "procedurelog"
"""Its name."""

_NUMBERS = (
    *("PatNum", "AptNum", "ProvNum", "ClinicNum", "ProcNumLab", "PlannedAptNum", "StatementNum", "SiteNum"),
    *("RepeatChargeNum", "UserNum", "OrderingReferralNum", "BillingTypeOne", "BillingTypeTwo", "FeeSched"),
)
_ENUMS = (
    *("ProcStatus", "Priority", "PlaceService", "IsPrincDiag", "IsCpoe", "CanadianTypeCodes", "IcdVersion"),
    *("IsLocked", "Urgency", "ProvOrderOverride", "IsDateProsthEst", "HideGraphics", "Prognosis", "DrugUnit"),
)
_MONEY = ("ProcFee", "DrugQty", "Discount", "TaxAmt", "DiscountPlanAmt", "BaseUnits")
_DATES = ("ProcDate", "DateOriginalProsth", "DateTP", "SecDateEntry", "DateEntryC", "DateComplete")
_TIMES = ("ProcTime", "ProcTimeEnd")
_CODES = (
    *(
        "Surf",
        "ToothNum",
        "ToothRange",
        "Prosthesis",
        "ClaimNote",
        "MedicalCode",
        "DiagnosticCode",
        "UnitCode",
    ),
    *("CodeMod1", "CodeMod2", "CodeMod3", "RevCode", "DrugNDC", "SnomedBodySite"),
)


def create(server: PrivateMariaDB, database: str, rows: int, engine: str) -> None:
    """Make the table anew.

    Args:
        server: a running server.
        database: where; made when it is not there.
        rows: how many.
        engine: `InnoDB` or `MyISAM`.
    """
    columns = [
        ("ProcNum", "bigint NOT NULL AUTO_INCREMENT PRIMARY KEY", "seq"),
        *((name, "bigint NOT NULL", f"seq * {place + 3} % 900001") for place, name in enumerate(_NUMBERS)),
        *((name, "tinyint NOT NULL", f"seq % {place + 2}") for place, name in enumerate(_ENUMS)),
        *(
            (name, "double NOT NULL", f"ROUND(seq % 100003 / {place + 7}, 2)")
            for place, name in enumerate(_MONEY)
        ),
        *(
            (
                name,
                "date NOT NULL",
                f"IF(seq % 4 = 0, '0001-01-01', '2015-01-01' + INTERVAL seq % {3000 + place} DAY)",
            )
            for place, name in enumerate(_DATES)
        ),
        *(
            (name, "time NOT NULL", f"SEC_TO_TIME(seq % {80000 + place})")
            for place, name in enumerate(_TIMES)
        ),
        *(
            (
                name,
                "varchar(255)",
                f"IF(seq % {place + 3} = 0, NULL, SUBSTR(MD5(seq + {place}), 1, {3 + place % 9}))",
            )
            for place, name in enumerate(_CODES)
        ),
        ("BillingNote", "varchar(255) NOT NULL", "CONCAT('Müller told us\\t', seq, '\\nabout it')"),
        ("Note", "text", "IF(seq % 10 = 0, REPEAT(MD5(seq), 3), '')"),
        (
            "SecDateTEdit",
            "timestamp NOT NULL DEFAULT '2020-01-01 00:00:00'",
            "'2020-06-01' + INTERVAL seq SECOND",
        ),
        (
            "DateTStamp",
            "timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP",
            "'2021-01-01' + INTERVAL seq SECOND",
        ),
    ]
    definition = ", ".join(f"`{name}` {kind}" for name, kind, _ in columns)
    values = ", ".join(value for _, _, value in columns)
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{database}` CHARACTER SET utf8mb4")
        cursor.execute(f"USE `{database}`")
        cursor.execute("SET SESSION sql_mode = ''")
        cursor.execute(f"DROP TABLE IF EXISTS `{TABLE}`")
        cursor.execute(f"CREATE TABLE `{TABLE}` ({definition}) ENGINE={engine} CHARACTER SET utf8mb4")
        cursor.execute(f"INSERT INTO `{TABLE}` SELECT {values} FROM seq_1_to_{rows}")
        connection.commit()
        cursor.execute(f"ANALYZE TABLE `{TABLE}`")
