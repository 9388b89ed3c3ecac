"""A deployment's lock: what it says, and what is refused before any plugin is imported."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from etlkit.cli import main
from etlkit.errors import LockMismatch, PluginConflict, RegistrationFailed
from etlkit.lock import chains, read_lock
from etlkit.orchestration.deployment import Deployment
from etlkit.registry import Registry
from support.fake_distributions import classifiers, install, was_imported

PAGE = (Path(__file__).parents[3] / "docs" / "plugin-lock.md").read_text(encoding="utf-8")

SETTINGS = """\
deployment: north
source: {url: "mysql://reader@127.0.0.1:1/opendental"}
warehouse: {url: "postgresql://etl@127.0.0.1:1/dental"}
"""

WAY_ON = (
    "install what is locked, or accept what is there by `etlkit plugins lock -C north`; "
    "nothing was read from the source"
)


@attrs.frozen
class Clinic:
    """A deployment's folder, and the folder in which its plugins are installed."""

    folder: Path
    site: Path

    def etlkit(self, *arguments: str) -> tuple[int, str, str]:
        """Call the command line; gives the exit code, what it printed and what it complained of."""
        done = CliRunner().invoke(main, [*arguments, "-C", str(self.folder)])
        return done.exit_code, done.stdout, done.stderr.replace(str(self.folder), "north")

    def lock(self) -> None:
        """Lock what is there."""
        assert 0 == self.etlkit("plugins", "lock")[0]
        for module in self.site.rglob("*.imported"):
            module.unlink()

    @property
    def file(self) -> Path:
        """The lock."""
        return self.folder / "plugins.lock.yml"

    @property
    def module(self) -> Path:
        """The plugin's file."""
        return self.site / "front_desk" / "rules.py"

    def refused(self, *lines: str, locked: bool = False, documented: bool = True) -> None:
        """Make sure that a run is refused in these words, which the page has, and that nothing was imported."""
        before = self.file.read_bytes()
        code, printed, said = self.etlkit("run", *(["--locked"] if locked else []))
        said = "".join(
            line for line in said.splitlines(keepends=True) if not line.startswith("  etlkit-core: --l")
        )
        message = "\n".join(
            [
                "north/plugins.lock.yml: the plugins are not those that are locked:",
                *(f"  {line}" for line in lines),
                WAY_ON,
            ]
        )
        assert (6, "", f"Error: {message}\n") == (
            code,
            printed,
            with_known_digests(said.replace(str(self.site), "site")),
        )
        for line in lines:
            assert not documented or f"\n      {line}\n" in PAGE
        assert not was_imported(self.module)
        assert before == self.file.read_bytes()


def with_known_digests(message: str) -> str:
    """The message with the digests that the page shows, in the order in which they appear."""
    known = iter(["69ee19ae8cd3", "c0d3f4a1ba60"])
    for digest in dict.fromkeys(re.findall("content ([0-9a-f]{12})", message)):
        message = message.replace(digest, next(known))
    return message


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    """A deployment with one plugin beside the built-in ones, not yet locked."""
    (tmp_path / "north").mkdir()
    (tmp_path / "north" / "etlkit.yml").write_text(SETTINGS)
    site = tmp_path / "site"
    install_front_desk(site)
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)
    yield Clinic(tmp_path / "north", site)
    forget(before)


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command imports plugins as a process of its own would."""
    load = Registry.inspect.__func__  # type: ignore[attr-defined]
    before = set(sys.modules)

    def inspect(cls: type[Registry], **options: object) -> Registry:
        forget(before)
        return load(cls, **options)  # type: ignore[no-any-return]

    monkeypatch.setattr(Registry, "inspect", classmethod(inspect))


def forget(before: set[str]) -> None:
    """Forget the modules that were imported since."""
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in {"front_desk", "kiosk", "front_desk_copy"}:
            del sys.modules[name]


def install_front_desk(site: Path, version: str = "1.0", names: tuple[str, ...] = ("front_desk",)) -> None:
    """Install the plugin `front_desk`."""
    install(
        site,
        "clinic-front-desk",
        version,
        plugins={"front_desk": "front_desk.rules"},
        files={"front_desk/__init__.py": "", "front_desk/rules.py": classifiers(*names)},
        requires=["pluggy>=1.7"],
    )


def uninstall(site: Path) -> None:
    """Remove all that is installed there."""
    shutil.rmtree(site)
    site.mkdir()


def test_a_lock_says_what_is_there(clinic: Clinic) -> None:
    """Each plugin stands there with its origin, each distribution with its digest and what it needs."""
    code, printed, said = clinic.etlkit("plugins", "lock")
    assert (0, "") == (code, said)
    text = clinic.file.read_text()
    assert "\norder:\n  classifiers:\n  - front_desk\n" in text
    assert (
        "  front_desk:\n"
        "    distribution: clinic-front-desk\n"
        "    version: '1.0'\n"
        "    object: front_desk.rules\n"
        "    disabled: false\n"
        "    provides:\n"
        "      classifiers:\n"
        "      - front_desk\n"
    ) in text
    assert printed.endswith(" plugins of 2 distributions locked\n")
    assert text.endswith(digest_of_front_desk(clinic.site))


def digest_of_front_desk(site: Path) -> str:
    """The end of the lock, computed as the page defines the digest."""
    paths = [
        "front_desk/__init__.py",
        "front_desk/rules.py",
        "clinic_front_desk-1.0.dist-info/METADATA",
        "clinic_front_desk-1.0.dist-info/entry_points.txt",
    ]
    lines = sorted((hashlib.sha256((site / path).read_bytes()).hexdigest(), path) for path in paths)
    whole = hashlib.sha256("".join(f"{digest} {path}\n" for digest, path in lines).encode()).hexdigest()
    import pluggy  # noqa: PLC0415 - only its version

    return (
        "distributions:\n"
        "  clinic-front-desk:\n"
        "    version: '1.0'\n"
        f"    sha256: {whole}\n"
        "    dependencies:\n"
        f"      pluggy: {pluggy.__version__}\n"
    )


def test_the_example_of_the_page(tmp_path: Path) -> None:
    """The page shows a lock as it is written."""
    example = PAGE[PAGE.index("```yaml\n") + len("```yaml\n") :].partition("```")[0]
    (tmp_path / "plugins.lock.yml").write_text(example, encoding="utf-8")
    lock, digest = read_lock(tmp_path / "plugins.lock.yml")
    assert (example, hashlib.sha256(example.encode()).hexdigest()) == (lock.text(), digest)


def test_a_lock_is_the_same_every_time(clinic: Clinic) -> None:
    """Locking twice gives the same bytes, and what compiling and running leave behind changes nothing."""
    clinic.lock()
    before = clinic.file.read_bytes()
    cache = clinic.module.parent / "__pycache__"
    cache.mkdir(exist_ok=True)
    (cache / "rules.cpython-311.pyc").write_bytes(b"anything")
    code, printed, _ = clinic.etlkit("plugins", "lock")
    assert (0, True, before) == (code, printed.endswith(" locked, as before\n"), clinic.file.read_bytes())
    assert 0 == clinic.etlkit("plugins", "lock", "--check")[0]
    code, printed, said = clinic.etlkit("plugins", "verify")
    assert (0, "", True) == (code, said, printed.endswith(" locked, and so they are installed\n"))


def test_what_is_locked_is_used(clinic: Clinic) -> None:
    """With a lock that fits, a deployment opens, and knows the digest of the lock."""
    clinic.lock()
    with Deployment.opened(clinic.folder) as deployment:
        assert "front_desk" in [each.item.name for each in deployment.registry.classifiers]
        assert hashlib.sha256(clinic.file.read_bytes()).hexdigest() == deployment.plugin_lock
    assert was_imported(clinic.module)


def test_without_a_lock_nothing_is_compared(clinic: Clinic) -> None:
    """A deployment without a lock opens with whatever is installed."""
    with Deployment.opened(clinic.folder) as deployment:
        assert deployment.plugin_lock is None


def test_a_tampered_file(clinic: Clinic) -> None:
    """A file whose content changed is named."""
    clinic.lock()
    clinic.module.write_text(f"{classifiers('front_desk')}# and more\n")
    clinic.refused(
        "clinic-front-desk: locked is content 69ee19ae8cd3, there is content c0d3f4a1ba60 (since the installation "
        "changed: `front_desk/rules.py`)"
    )


def test_a_file_that_is_gone(clinic: Clinic) -> None:
    """A file that was removed is named."""
    clinic.lock()
    (clinic.module.parent / "__init__.py").unlink()
    clinic.refused(
        "clinic-front-desk: locked is content 69ee19ae8cd3, there is content c0d3f4a1ba60 (since the installation "
        "gone: `front_desk/__init__.py`)"
    )


@pytest.mark.parametrize("name", ["extra.py", "extra.so", "deeper/extra.py"])
def test_an_added_file(clinic: Clinic, name: str) -> None:
    """What could be imported from the distribution's packages and was not installed is named."""
    clinic.lock()
    added = clinic.module.parent / name
    added.parent.mkdir(exist_ok=True)
    added.write_text("")
    clinic.refused(
        f"clinic-front-desk, `front_desk/{name}`: locked is no such file, there is one that was added since the "
        "installation",
        documented=name == "extra.py",
    )


def test_an_added_file_in_a_shared_folder(clinic: Clinic) -> None:
    """In a folder that distributions share, what none of them installed is an added file."""
    uninstall(clinic.site)
    for name in ("kiosk", "till"):
        files = {f"clinic_shared/{name}.py": classifiers(name)}
        install(clinic.site, f"clinic-{name}", plugins={name: f"clinic_shared.{name}"}, files=files)
    clinic.lock()
    (clinic.site / "clinic_shared" / "extra.py").write_text("")
    there = "locked is no such file, there is one that was added since the installation"
    lines = [f"clinic-{name}, `clinic_shared/extra.py`: {there}" for name in ("kiosk", "till")]
    clinic.refused(*lines, documented=False)
    (clinic.site / "clinic_shared" / "extra.py").rename(clinic.site / "clinic_shared" / "__init__.py")
    code, _, said = clinic.etlkit("run")
    hidden = f"there is {clinic.site}/clinic_shared/__init__.py, which would be imported"
    line = f"  plugin `till`: locked is a file of clinic-till, {hidden}"
    assert (6, line) == (code, said.splitlines()[4])


def test_another_version(clinic: Clinic) -> None:
    """A distribution that was updated is told with both versions, and that its content is another one."""
    clinic.lock()
    uninstall(clinic.site)
    install_front_desk(clinic.site, "1.1")
    clinic.refused(
        "clinic-front-desk: locked is version 1.0, there is version 1.1",
        "clinic-front-desk: locked is content 69ee19ae8cd3, there is content c0d3f4a1ba60",
    )


def test_an_unlocked_plugin(clinic: Clinic) -> None:
    """A plugin that is installed and not locked is refused, and what it would do when imported does not happen."""
    clinic.lock()
    kiosk = {"kiosk.py": classifiers("kiosk")}
    install(clinic.site, "clinic-kiosk", plugins={"kiosk": "kiosk"}, files=kiosk)
    clinic.refused("plugin `kiosk`: locked is nothing, there is `kiosk` of clinic-kiosk 1.0")
    for arguments in (["plugins", "verify"], ["plugins", "list"], ["plugins", "lock", "--check"], ["doctor"]):
        clinic.etlkit(*arguments)
    assert not was_imported(clinic.site / "kiosk.py")


def test_a_missing_plugin(clinic: Clinic) -> None:
    """A plugin that is locked and not installed is refused."""
    clinic.lock()
    uninstall(clinic.site)
    clinic.refused(
        "plugin `front_desk`: locked is `front_desk.rules` of clinic-front-desk 1.0, there is nothing"
    )


def install_copy(site: Path) -> None:
    """Install another distribution with a plugin `front_desk`."""
    files = {"front_desk_copy.py": classifiers("copy")}
    install(site, "front-desk-copy", "2.0", plugins={"front_desk": "front_desk_copy"}, files=files)


def test_the_same_name_twice(clinic: Clinic) -> None:
    """Two distributions that announce one name are refused by the lock."""
    clinic.lock()
    install_copy(clinic.site)
    clinic.refused(
        "plugin `front_desk`: locked is `front_desk.rules` of clinic-front-desk 1.0, there is the same name twice: "
        "`front_desk.rules` of clinic-front-desk 1.0 and `front_desk_copy` of front-desk-copy 2.0"
    )


def test_the_same_name_twice_without_a_lock(clinic: Clinic) -> None:
    """Without a lock it is a conflict, exit code 2, and cannot be locked."""
    install_copy(clinic.site)
    conflict = (
        "plugin `front_desk` is provided more than once: by clinic-front-desk 1.0 (`front_desk.rules`) and by "
        "front-desk-copy 2.0 (`front_desk_copy`); uninstall one of them, or name `front_desk` under `plugins.disable` "
        "in etlkit.yml, which disables all of them"
    )
    for arguments in (["run"], ["plugins", "lock"]):
        assert (PluginConflict.exit_code, "", f"Error: {conflict}\n") == clinic.etlkit(*arguments)
    assert f"\n    {conflict}\n" in PAGE
    assert not clinic.file.exists()


def test_a_plugin_that_cannot_be_imported(clinic: Clinic) -> None:
    """It ends a run with exit code 2, with a lock and without one, and is not locked."""
    uninstall(clinic.site)
    files = {"kiosk.py": "import no_such_library\n"}
    install(clinic.site, "clinic-kiosk", plugins={"kiosk": "kiosk"}, files=files)
    problem = (
        "plugin `kiosk` (clinic-kiosk 1.0): cannot be imported: raised ModuleNotFoundError: No module named "
        "'no_such_library' (kiosk.py, line 1); update or uninstall clinic-kiosk, or name `kiosk` under "
        "`plugins.disable` in etlkit.yml"
    )
    for arguments in (["run"], ["plugins", "lock"]):
        assert (RegistrationFailed.exit_code, "", f"Error: {problem}\n") == clinic.etlkit(*arguments)
    assert f"\n    {problem}\n" in PAGE
    assert not clinic.file.exists()


def test_a_locked_plugin_that_cannot_be_imported(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin whose files are as locked and which breaks is told by `verify` and `list`, which work."""
    uninstall(clinic.site)
    files = {"kiosk.py": f"import os\nos.environ['KIOSK']\n{classifiers('kiosk')}"}
    install(clinic.site, "clinic-kiosk", plugins={"kiosk": "kiosk"}, files=files)
    monkeypatch.setenv("KIOSK", "here")
    clinic.lock()
    monkeypatch.delenv("KIOSK")
    code, printed, said = clinic.etlkit("plugins", "verify", "--json")
    document = json.loads(printed)
    assert (2, []) == (code, document["differences"])
    assert [f"Error: {problem}\n" for problem in document["problems"]] == [said]
    code, printed, said = clinic.etlkit("plugins", "list", "--json")
    rows = {each["plugin"]: each for each in json.loads(printed)["plugins"]}
    assert (0, "broken", "yes") == (code, rows["kiosk"]["status"], rows["kiosk"]["locked"])


def test_another_object(clinic: Clinic) -> None:
    """An entry point that names something else is refused."""
    clinic.lock()
    entries = clinic.site / "clinic_front_desk-1.0.dist-info" / "entry_points.txt"
    entries.write_text("[etlkit.plugins]\nfront_desk = front_desk.other\n")
    clinic.refused(
        "clinic-front-desk: locked is content 69ee19ae8cd3, there is content c0d3f4a1ba60 (since the installation "
        "changed: `clinic_front_desk-1.0.dist-info/entry_points.txt`)",
        "plugin `front_desk`: locked is `front_desk.rules` of clinic-front-desk 1.0, there is `front_desk.other` of "
        "clinic-front-desk 1.0",
    )


def test_a_module_in_front(clinic: Clinic, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that an import would take instead of the installed one is refused."""
    clinic.lock()
    front = tmp_path / "site-in-front" / "front_desk"
    front.mkdir(parents=True)
    (front / "__init__.py").write_text("")
    (front / "rules.py").write_text(classifiers("front_desk"))
    monkeypatch.syspath_prepend(str(front.parent))
    clinic.refused(
        "plugin `front_desk`: locked is a file of clinic-front-desk, there is site-in-front/front_desk/__init__.py, "
        "which would be imported"
    )


def test_everything_else_that_is_locked(clinic: Clinic) -> None:
    """Python, etlkit and what distributions need are compared as well, and all that differs is told at once."""
    clinic.lock()
    text = clinic.file.read_text()
    version = text[text.index("etlkit:\n  version: ") :].split("\n")[1].removeprefix("  version: ")
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    for old, new in [
        (f"python: '{running}'", "python: '3.9'"),
        (f"etlkit:\n  version: {version}", "etlkit:\n  version: 0.0.9"),
        ("      pluggy:", "      leftover: '1.0'\n      pluggy:"),
    ]:
        assert text != text.replace(old, new), old
        text = text.replace(old, new)
    clinic.file.write_text(text)
    code, _, said = clinic.etlkit("run")
    lines = [
        f"Python: locked is 3.9, there is {running}",
        f"etlkit-core: locked is version 0.0.9, there is version {version}",
        "leftover, which clinic-front-desk needs: locked is version 1.0, there is nothing",
    ]
    assert (6, [f"  {line}" for line in lines]) == (code, said.splitlines()[1:-1])
    for line in (lines[0].replace(running, "3.11"), lines[1].replace(version, "0.1.0"), lines[2]):
        assert f"\n      {line}\n" in PAGE


def test_another_set_or_order(clinic: Clinic) -> None:
    """What the configuration disables and asks first is locked with the rest."""
    clinic.lock()
    (clinic.folder / "etlkit.yml").write_text(
        f"{SETTINGS}plugins: {{disable: [masking], order: {{classifiers: [open_dental_names]}}}}\n"
    )
    others = sorted(name for name in chains(Registry.load())["classifiers"] if name != "open_dental_names")
    before, after = sorted([*others, "open_dental_names"]), ["open_dental_names", *others]
    was_imported(clinic.module)
    disabled = "plugin `masking`: locked is a plugin that is active, there is one that is disabled"
    clinic.refused(
        disabled,
        f"order of classifiers: locked is {', '.join(before)}, there is {', '.join(after)}",
        documented=False,
    )
    assert f"\n      {disabled}\n" in PAGE
    code, printed, _ = clinic.etlkit("plugins", "lock", "--json")
    document = json.loads(printed)
    assert (0, hashlib.sha256(clinic.file.read_bytes()).hexdigest()) == (code, document["sha256"])
    assert ["plugin `masking`", "order of classifiers"] == [each["subject"] for each in document["changes"]]
    with Deployment.opened(clinic.folder) as deployment:
        assert (*after,) == chains(deployment.registry)["classifiers"]


def test_a_plugin_left_out_of_one_call(clinic: Clinic) -> None:
    """`--no-plugin` makes another set, which the lock refuses."""
    clinic.lock()
    code, _, said = clinic.etlkit("run", "--no-plugin", "front_desk")
    line = "plugin `front_desk`: locked is a plugin that is active, there is one that is disabled"
    assert (6, [f"  {line}"]) == (code, said.splitlines()[1:-1])


def test_what_a_plugin_provides(clinic: Clinic) -> None:
    """What a plugin provides may hang on something else than its files, and is compared once it is imported."""
    uninstall(clinic.site)
    text = classifiers("front_desk").replace(
        "('front_desk',)", "Path(__file__).with_name('names').read_text().split()"
    )
    install(
        clinic.site,
        "clinic-front-desk",
        plugins={"front_desk": "front_desk.rules"},
        files={"front_desk/__init__.py": "", "front_desk/rules.py": text},
    )
    (clinic.site / "front_desk" / "names").write_text("front_desk")
    clinic.lock()
    (clinic.site / "front_desk" / "names").write_text("front_desk till")
    line = "plugin `front_desk`: locked is classifiers front_desk, there is classifiers front_desk, till"
    code, _, said = clinic.etlkit("run")
    assert (6, [f"  {line}"]) == (code, said.splitlines()[1:-1])
    assert f"\n      {line}\n" in PAGE


def test_a_list_of_packages_beside_it(clinic: Clinic) -> None:
    """A `pylock.<deployment>.toml` is locked by its content."""
    pylock = clinic.folder / "pylock.north.toml"
    pylock.write_text('lock-version = "1.0"\n')
    clinic.lock()
    pylock.write_text('lock-version = "1.0"\ncreated-by = "uv"\n')
    clinic.refused("pylock.north.toml: locked is content 69ee19ae8cd3, there is content c0d3f4a1ba60")
    pylock.unlink()
    clinic.refused("pylock.north.toml: locked is content 69ee19ae8cd3, there is no such file")


def test_locked_without_a_lock(clinic: Clinic) -> None:
    """`--locked` asks for a lock."""
    message = (
        "north/plugins.lock.yml: is not there, and --locked asks for one; `etlkit plugins lock -C north` writes it; "
        "nothing was read from the source"
    )
    for command in ("run", "plan", "analyze", "verify", "reconcile"):
        assert (6, "", f"Error: {message}\n") == clinic.etlkit(command, "--locked")
    assert f"\n    {message}\n" in PAGE
    assert not was_imported(clinic.module)


def test_an_editable_installation(clinic: Clinic) -> None:
    """It can be locked, so that developers can work; `--locked` refuses it."""
    uninstall(clinic.site)
    files = {"front_desk/__init__.py": "", "front_desk/rules.py": classifiers("front_desk")}
    plugins = {"front_desk": "front_desk.rules"}
    install(clinic.site, "clinic-front-desk", plugins=plugins, files=files, editable=True)
    clinic.lock()
    assert "  clinic-front-desk:\n    version: '1.0'\n    editable: true\n" in clinic.file.read_text()
    clinic.module.write_text(f"{classifiers('front_desk')}# more\n")
    with Deployment.opened(clinic.folder):
        assert was_imported(clinic.module)
    clinic.refused(
        "clinic-front-desk: --locked asks for an installed copy, there is an editable installation",
        locked=True,
    )


def test_an_editable_installation_instead(clinic: Clinic) -> None:
    """An editable installation is not what was locked from a wheel."""
    clinic.lock()
    url = clinic.site / "clinic_front_desk-1.0.dist-info" / "direct_url.json"
    url.write_text('{"url": "file:///src", "dir_info": {"editable": true}}')
    clinic.refused("clinic-front-desk: locked is content 69ee19ae8cd3, there is an editable installation")


def test_a_folder_of_links_is_editable(clinic: Clinic, tmp_path: Path) -> None:
    """What lies behind a link to a folder is not an installation's own."""
    (clinic.site / "front_desk").rename(tmp_path / "elsewhere")
    (clinic.site / "front_desk").symlink_to(tmp_path / "elsewhere")
    clinic.lock()
    assert "  clinic-front-desk:\n    version: '1.0'\n    editable: true\n" in clinic.file.read_text()


def test_what_a_builder_left_beside_the_sources_is_editable(clinic: Clinic) -> None:
    """In a clone, the distribution that is found first is its folder of sources, whose files change."""
    info = clinic.site / "clinic_front_desk-1.0.dist-info"
    (info / "RECORD").unlink()
    (info / "SOURCES.txt").write_text("front_desk/rules.py\n")
    clinic.lock()
    assert "  clinic-front-desk:\n    version: '1.0'\n    editable: true\n" in clinic.file.read_text()


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("front_desk/rules.py", "`front_desk/rules.py` was changed since it was installed"),
        ("front_desk/more.py", "`front_desk/more.py` was added since it was installed"),
        ("clinic_front_desk-1.0.dist-info/RECORD", "no RECORD lists its files"),
    ],
)
def test_what_cannot_be_locked(clinic: Clinic, path: str, what: str) -> None:
    """Files that are not as they were installed are not locked."""
    (clinic.site / path).write_text("")
    message = (
        "north/plugins.lock.yml: not written, because these are not as they were installed:\n"
        f"  clinic-front-desk 1.0: {what}\n"
        "install them anew"
    )
    assert (2, "", f"Error: {message}\n") == clinic.etlkit("plugins", "lock")
    assert f"\n      clinic-front-desk 1.0: {what}\n" in PAGE
    assert not was_imported(clinic.module)


def test_check(clinic: Clinic) -> None:
    """`lock --check` asks for a lock that is there, fits, and is written as the command writes it."""
    missing = (
        "north/plugins.lock.yml: is not there, and --check asks for one; `etlkit plugins lock -C north` writes it; "
        "nothing was read from the source"
    )
    assert (6, "", f"Error: {missing}\n") == clinic.etlkit("plugins", "lock", "--check")
    clinic.lock()
    clinic.file.write_text(f"{clinic.file.read_text()}\n# by hand\n")
    touched = (
        "north/plugins.lock.yml: says what is installed, but is not as `etlkit plugins lock` writes it; write it anew "
        "by that command"
    )
    assert (6, "", f"Error: {touched}\n") == clinic.etlkit("plugins", "lock", "--check")
    assert f"\n    {touched}\n" in PAGE


def test_verify_without_a_lock(clinic: Clinic) -> None:
    """`verify` needs a lock, and a deployment."""
    message = (
        "north/plugins.lock.yml: is not there, and there is nothing to compare with; `etlkit plugins lock -C north` "
        "writes it; nothing was read from the source"
    )
    assert (6, "", f"Error: {message}\n") == clinic.etlkit("plugins", "verify")
    (clinic.folder / "etlkit.yml").unlink()
    message = "north/etlkit.yml: is not there; `etlkit init -C north` writes one"
    assert (2, "", f"Error: {message}\n") == clinic.etlkit("plugins", "lock")


def test_a_lock_that_cannot_be_read(clinic: Clinic) -> None:
    """A lock that was cut off, or that a newer etlkit wrote, is told with its line."""
    clinic.file.write_text("lock_version: 2\n")
    hint = "; mend it, or take it away and write it by `etlkit plugins lock`"
    newer = "north/plugins.lock.yml:1: was written by a newer etlkit (`lock_version` 2); install that version"
    assert (2, "", f"Error: {newer}{hint}\n") == clinic.etlkit("run")
    clinic.file.write_text("lock_version: 1\n")
    needs = "".join(
        f"north/plugins.lock.yml:1: the file needs the key `{key}`\n" for key in ("etlkit", "python")
    )
    assert (2, "", f"Error: {needs.rstrip()}{hint}\n") == clinic.etlkit("run")
    code, printed, _ = clinic.etlkit("plugins", "list")
    assert (0, True) == (code, "not imported" in printed)
    assert not was_imported(clinic.module)


def test_the_list_with_a_lock(clinic: Clinic) -> None:
    """The list says of each plugin whether it is locked, and imports nothing when anything differs."""
    code, printed, _ = clinic.etlkit("plugins", "list")
    assert (0, "no") == (code, row(printed, "front_desk")[4])
    clinic.lock()
    code, printed, _ = clinic.etlkit("plugins", "list")
    assert (0, ["active", "yes"]) == (code, row(printed, "front_desk")[3:5])
    assert was_imported(clinic.module)
    clinic.module.write_text("raise SystemExit\n")
    install(clinic.site, "clinic-kiosk", plugins={"kiosk": "kiosk"}, files={"kiosk.py": "raise SystemExit"})
    code, printed, _ = clinic.etlkit("plugins", "list", "--json")
    document = json.loads(printed)
    rows = {each["plugin"]: each for each in document["plugins"]}
    states = {
        name: (rows[name]["status"], rows[name]["locked"]) for name in ("front_desk", "kiosk", "masking")
    }
    assert {
        "front_desk": ("not imported", "differs"),
        "kiosk": ("not imported", "no"),
        "masking": ("not imported", "yes"),
    } == states
    assert {"etlkit_classifiers": ["front_desk"]} == rows["front_desk"]["provides"]
    assert ["clinic-front-desk", "plugin `kiosk`"] == [
        each["subject"] for each in document["lock"]["differences"]
    ]
    uninstall(clinic.site)
    code, printed, _ = clinic.etlkit("plugins", "list")
    assert (0, ["missing", "differs"]) == (code, row(printed, "front_desk")[3:5])


def row(printed: str, plugin: str) -> list[str]:
    """The cells of a plugin's row, as far as they are single words."""
    return next(line.split() for line in printed.splitlines() if line.startswith(f"{plugin} "))


def test_the_doctor(clinic: Clinic) -> None:
    """The doctor says whether there is a lock and whether it fits, and imports nothing that is not locked."""

    def found() -> dict[str, tuple[str, str]]:
        findings = json.loads(clinic.etlkit("doctor", "--json")[1])["findings"]
        of_plugins = [each for each in findings if each["section"] == "plugins"]
        folder = str(clinic.folder)
        return {
            each["check"]: (each["level"], each["message"].replace(folder, "north")) for each in of_plugins
        }

    not_yet = "The plugins are not locked yet; `etlkit plugins lock -C north` would do it."
    assert ("ok", not_yet) == found()["lock"]
    clinic.lock()
    (level, message), count = found()["lock"], clinic.file.read_text().count("    object: ")
    assert ("ok", f"north/plugins.lock.yml names {count} plugins, and so they are installed.") == (
        level,
        message,
    )
    assert was_imported(clinic.module)
    install(clinic.site, "clinic-kiosk", plugins={"kiosk": "kiosk"}, files={"kiosk.py": "raise SystemExit"})
    assert {
        "plugins": ("skipped", "Not checked, because the plugins are not those that are locked."),
        "lock": (
            "problem",
            (
                "The plugins are not those that north/plugins.lock.yml names:\n"
                "plugin `kiosk`: locked is nothing, there is `kiosk` of clinic-kiosk 1.0"
            ),
        ),
    } == found()
    clinic.file.write_text("lock_version: 2\n")
    newer = "north/plugins.lock.yml:1: was written by a newer etlkit (`lock_version` 2)."
    assert ("problem", newer) == found()["lock"]
    (clinic.folder / "etlkit.yml").write_text("deployment: [\n")
    assert ["skipped", "skipped"] == [level for level, _ in found().values()]
    assert not was_imported(clinic.module)


def test_a_mismatch_has_its_own_exit_code() -> None:
    """6 says that the plugins do not match the lock."""
    assert 6 == LockMismatch.exit_code


def test_every_chain_is_locked() -> None:
    """A chain of the registry is in the lock because it is one, without anybody naming it."""
    assert {"classifiers", "conversions", "relationships", "exclusions"} <= chains(Registry()).keys()
