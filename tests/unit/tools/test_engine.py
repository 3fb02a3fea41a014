"""The engine is found or installed by the documented order; nothing here reaches the network or builds."""

import hashlib
import io
import tarfile
import threading
from pathlib import Path

import pytest

from tools import engine, engine_build, engine_download
from tools.engine_build import ENGINE_VERSION


def put_engine(directory: Path, version: str, *, host: bool = True) -> Path:
    """Write programs that answer like an engine."""
    directory.mkdir(parents=True, exist_ok=True)
    for program in engine.PROGRAMS if host else engine.PROGRAMS[:1]:
        (directory / program).write_text(f"#!/bin/sh\necho v{version}\n")
        (directory / program).chmod(0o755)
    return directory


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine with an empty cache and an empty PATH, `<machine>/path`, where downloads are refused."""

    def refuse(_: Path) -> None:
        raise engine_download.DownloadError("the test has no network")

    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("AKS_GEODE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(engine_download, "download", refuse)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "version"),
    [("v3.259.0\n", (3, 259, 0)), ("3.300.1-alpha.5", (3, 300, 1)), ("dev", None), ("", None)],
)
def test_parses_versions(text: str, version: tuple[int, ...] | None) -> None:
    """Versions are compared as numbers."""
    assert engine.parse_version(text) == version


@pytest.mark.parametrize(("version", "used"), [("3.250.0", True), ("4.0.0", True), ("3.249.9", False), ("dev", False)])
def test_uses_the_engine_on_path_when_recent_enough(machine: Path, version: str, used: bool) -> None:
    """An older engine, or one of unknown version, is left alone."""
    directory = put_engine(machine / "path", version)
    assert engine.installed_bin_directory() == (directory if used else None)


def test_an_engine_without_language_host_is_not_used(machine: Path) -> None:
    """The program could not be run with it."""
    put_engine(machine / "path", "3.300.0", host=False)
    assert engine.installed_bin_directory() is None


def test_follows_a_link_to_the_engine(machine: Path) -> None:
    """A linked `pulumi` counts with the host beside its real file."""
    real = put_engine(machine / "real", "3.300.0")
    (machine / "path/pulumi").symlink_to(real / "pulumi")
    assert engine.engine_bin_directory() == real


def test_uses_the_cached_engine_and_installs_nothing(machine: Path) -> None:
    """The second installation has nothing to do."""
    directory = put_engine(engine.cached_bin_directory(), ENGINE_VERSION)
    assert directory.is_relative_to(machine / "cache/engine")
    assert engine.install() == directory == engine.engine_bin_directory()


def test_a_missing_engine_is_one_clear_sentence(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The user reads what to run, not a traceback."""
    assert machine.is_dir()
    assert engine.main(["path"]) == 1
    assert "run `make setup`" in capsys.readouterr().err


def test_neither_network_nor_go_is_one_clear_sentence(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both ways out are named, and nothing half done stays behind."""
    assert engine.main(["install"]) == 1
    assert "neither downloaded (the test has no network) nor built (no `go` on PATH)" in capsys.readouterr().err
    assert [path.name for path in (machine / "cache/engine").iterdir()] == [".lock"]


def test_builds_where_nothing_can_be_downloaded(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build goes to its final place at once, in place of what a killed one left behind."""
    (machine / "path/go").write_text("#!/bin/sh\n")
    (machine / "path/go").chmod(0o755)
    (machine / "cache/engine/.partial-killed/bin").mkdir(parents=True)
    monkeypatch.setattr(engine_build, "build", lambda directory: put_engine(directory, ENGINE_VERSION))
    directory = engine.install(offline=True)
    assert engine.is_complete(directory)
    assert sorted(path.name for path in (machine / "cache/engine").iterdir()) == [".lock", directory.parent.name]


def test_prefers_the_official_release(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go is not asked when the download works."""
    assert machine.is_dir()
    monkeypatch.setattr(engine_download, "download", lambda directory: put_engine(directory, ENGINE_VERSION))
    assert engine.is_complete(engine.install())


def test_two_installations_at_once_build_once(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first and uses what it made."""
    calls: list[Path] = []
    started = threading.Event()

    def download(directory: Path) -> None:
        calls.append(directory)
        started.set()
        other.join(0.3)
        put_engine(directory, ENGINE_VERSION)

    def second() -> None:
        started.wait(10)
        engine.install()

    other = threading.Thread(target=second)
    monkeypatch.setattr(engine_download, "download", download)
    other.start()
    engine.install()
    other.join(10)
    assert len(calls) == 1
    assert machine.is_dir()


def test_the_pinned_module_has_the_engine_version() -> None:
    """The download and the build give the same engine."""
    requirements = (engine_build.MODULES / "cli/go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{ENGINE_VERSION} " in requirements
    assert f"{engine_build.SDK} v{ENGINE_VERSION} " in requirements


@pytest.mark.parametrize(
    ("system", "machine_name", "ending"),
    [("Linux", "x86_64", "linux-x64"), ("Linux", "aarch64", "linux-arm64"), ("Darwin", "arm64", "darwin-arm64")],
)
def test_names_the_archive_of_the_platform(system: str, machine_name: str, ending: str) -> None:
    """Names as Pulumi publishes them."""
    assert engine_download.archive_name(system, machine_name) == f"pulumi-v{ENGINE_VERSION}-{ending}.tar.gz"


def test_an_unknown_platform_is_refused() -> None:
    """Then the engine is built."""
    with pytest.raises(engine_download.DownloadError, match="no release for Plan9"):
        engine_download.archive_name("Plan9", "x86_64")


def test_verifies_and_unpacks_a_release(tmp_path: Path) -> None:
    """Only a file with the published checksum is unpacked, and always into the directory itself."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name in ("pulumi/pulumi", "../../escaped"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"text"))
    checksums = f"{'0' * 64}  other.tar.gz\n{hashlib.sha256(file.getvalue()).hexdigest()}  a.tar.gz\n"
    engine_download.verify(file, engine_download.published_checksum(checksums, "a.tar.gz"), "a.tar.gz")
    engine_download.unpack(file, tmp_path / "bin")
    assert sorted(path.name for path in (tmp_path / "bin").iterdir()) == ["escaped", "pulumi"]
    with pytest.raises(engine_download.DownloadError, match="published is 0000"):
        engine_download.verify(file, "0" * 64, "a.tar.gz")
    with pytest.raises(engine_download.DownloadError, match=r"do not name b\.tar\.gz"):
        engine_download.published_checksum(checksums, "b.tar.gz")
