"""Who decided what about columns, and where the masking key comes from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from etlkit.config import ColumnOverride, Settings, TableChoice
from etlkit.config.masking import MaskingSettings, masking_key
from etlkit.config.presets import read_preset
from etlkit.config.protection import Protection
from etlkit.config.secrets import Secret
from etlkit.demo.practice import TABLES as PRACTICE
from etlkit.errors import ConfigurationError
from etlkit.plugins.conversions import masking
from etlkit.registry import Registry
from etlkit.tables import TableAnalysis
from etlkit.testing import table

KEY = "a masking key of a test, long enough"
PRESET = Protection(preset_name="hipaa_safe_harbor")
KEEP, DROP = ColumnOverride(conversion="keep"), ColumnOverride(conversion="drop")
PATIENT = table("patient", "PatNum bigint auto_increment", "SSN varchar(100)", "Birthdate date", "Shoe int")
NEEDED = "deployment: north\nsource: {url: 'mysql://u@localhost/d'}\nwarehouse: {url: 'postgresql://u@localhost/d'}\n"


def practice(name: str) -> TableAnalysis:
    """A table of the generated practice, whose columns are Open Dental's."""
    shape = PRACTICE[name]
    return table(name, *(f"{each.name} {each.type}" for each in shape.columns), key=",".join(shape.key))


def load(folder: Path, text: str, **env: str) -> Settings:
    """Read an etlkit.yml."""
    (folder / "etlkit.yml").write_text(NEEDED + text)
    return Settings.load(folder, env)


def test_nothing_is_protected_by_default() -> None:
    """Without a preset and without `protected`, no column needs a decision, and none is decided about."""
    assert (False, (), {}) == (
        Protection().protects(PATIENT),
        Protection().undecided(PATIENT),
        Protection().overrides(PATIENT),
    )


def test_a_decision_is_a_conversion() -> None:
    """In a protected table each column needs one; a type or a policy alone decides nothing."""
    overrides = {
        "PatNum": KEEP,
        "SSN": DROP,
        "Birthdate": ColumnOverride(policy="null"),
        "Shoe": ColumnOverride(pg_type="bigint"),
    }
    choices = {"patient": TableChoice(protected=True, column_overrides=overrides)}
    assert ("Birthdate", "Shoe") == Protection(choices=choices).undecided(PATIENT)


def test_the_preset_waits_for_what_it_does_not_know() -> None:
    """A number that no rule names is undecided; a person's decision wins over the preset's."""
    assert ("Shoe",) == PRESET.undecided(PATIENT)
    overrides = {"Shoe": KEEP, "SSN": ColumnOverride(conversion="mask", options={"visible": "4"})}
    chosen = Protection(
        choices={"patient": TableChoice(column_overrides=overrides)}, preset_name="hipaa_safe_harbor"
    )
    assert () == chosen.undecided(PATIENT)
    hashed = ColumnOverride(conversion="hmac", options={"domain": "patient"})
    assert {**overrides, "PatNum": hashed, "Birthdate": ColumnOverride(conversion="year")} == dict(
        chosen.overrides(PATIENT)
    )


def test_a_preset_table_can_be_opened() -> None:
    """`protected: false` lets columns pass that no rule names; those that a rule names are masked all the same."""
    opened = Protection(choices={"patient": TableChoice(protected=False)}, preset_name="hipaa_safe_harbor")
    assert () == opened.undecided(PATIENT)
    assert {"PatNum": "hmac", "SSN": "drop", "Birthdate": "year"} == {
        name: each.conversion for name, each in opened.overrides(PATIENT).items()
    }


@pytest.mark.parametrize("name", PRACTICE)
def test_the_preset_decides_about_the_practice(name: str) -> None:
    """Every column of every table is decided about, by conversions that can serve it; all free text is dropped."""
    shown = practice(name)
    assert () == PRESET.undecided(shown)
    registry = Registry.of(masking)
    for column, override in PRESET.overrides(shown).items():
        found = shown.column(column)
        assert found is not None
        conversion = registry.conversion(str(override.conversion)).item
        if conversion.configure is not None:
            conversion = conversion.configure(override.options, shown)
        assert conversion.target_type(found)
        if "text" in found.data_type and PRESET.protects(shown):
            assert "drop" == conversion.name


def test_the_preset_covers_each_identifier() -> None:
    """Each of the eighteen identifiers has a rule, or is told by letter where Open Dental has no column for it."""
    preset = read_preset("hipaa_safe_harbor")
    letters = {letter for rule in preset.rules for letter in rule.identifier.split(", ")}
    assert set("ABCDEFGHIJKLMNOPQR") == letters
    assert "45 CFR 164.514(b)(2)(i)(A)-(R)" == preset.source


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"masking: {{key: '{KEY}'}}",
            '`masking.key` must be a reference to the environment such as `"${ETLKIT_MASKING_KEY}"`',
        ),
        (
            'masking: {key: "${MASK}", key_file: k}',
            "`masking` has its key in `key` and in `key_file`; keep one",
        ),
        (
            "masking: {preset: hipaa}",
            "`masking.preset` must be `hipaa_safe_harbor` (got `hipaa`)",
        ),
    ],
)
def test_settings_that_cannot_be_meant(tmp_path: Path, text: str, message: str) -> None:
    """A key never stands in the file, and is never repeated."""
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text, MASK=KEY)
    assert str(caught.value).endswith(f"etlkit.yml:4: {message}")


def test_null_is_the_name_of_a_conversion(tmp_path: Path) -> None:
    """YAML's `null` at `conversion` is the conversion of that name; nothing, and `~`, are none."""
    text = "tables: {t: {column_overrides: {a: {conversion: null}, b: {conversion: }, c: {conversion: ~}}}}"
    overrides = load(tmp_path, text).choice("t").column_overrides
    assert ["null", None, None] == [overrides[name].conversion for name in "abc"]


def test_where_the_key_comes_from(tmp_path: Path) -> None:
    """From the environment, a file or a command; there may be none; its text is in no representation."""
    settings = load(tmp_path, 'masking: {key: "${MASK}"}', MASK=KEY)
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    file.chmod(0o600)
    for section in (
        settings.masking,
        MaskingSettings(key_file=file),
        MaskingSettings(key_command=f"cat {file}"),
    ):
        assert Secret(KEY) == masking_key(section)
        assert KEY not in repr(section)
    assert masking_key(MaskingSettings()) is None


def test_a_short_key() -> None:
    """A key that could be guessed is refused."""
    with pytest.raises(ConfigurationError) as caught:
        masking_key(MaskingSettings(key=Secret("x" * 31)))
    assert str(caught.value) == (
        "`masking.key` gives a key of fewer than 32 characters, which could be guessed; make one with "
        "`openssl rand -hex 32`"
    )


def test_the_page_lists_every_conversion() -> None:
    """docs/masking.md has a line for each masking conversion."""
    page = (Path(__file__).parents[3] / "docs" / "masking.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `(\w+)` \| ", page, re.MULTILINE)
    assert sorted(listed) == [each.item.name for each in Registry.of(masking).conversions]
