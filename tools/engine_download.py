"""Downloads the official Pulumi release and verifies it against the checksums that Pulumi publishes beside it."""

import hashlib
import platform
import shutil
import tarfile
import tempfile
from http.client import HTTPException
from io import BufferedRandom, BytesIO
from pathlib import Path
from urllib.request import urlopen

from tools.engine_build import ENGINE_VERSION

RELEASES = "https://get.pulumi.com/releases/sdk"
TIMEOUT_SECONDS = 5
"""For the connection and each read: a network that drops packets costs this once, one that refuses costs nothing."""

ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "arm64": "arm64", "aarch64": "arm64"}
OPERATING_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}


class DownloadError(Exception):
    """No verified release can be had from the network; the text says why in a few words."""


def archive_name(system: str, machine: str) -> str:
    """Return the release's file name for a platform as `platform.system()` and `platform.machine()` name it."""
    try:
        return f"pulumi-v{ENGINE_VERSION}-{OPERATING_SYSTEMS[system]}-{ARCHITECTURES[machine]}.tar.gz"
    except KeyError:
        raise DownloadError(f"Pulumi publishes no release for {system} on {machine}") from None


def download(directory: Path) -> None:
    """Put the programs of the official release into `directory`, which need not exist."""
    archive = archive_name(platform.system(), platform.machine())
    with tempfile.TemporaryFile() as file:
        try:
            with urlopen(f"{RELEASES}/pulumi-{ENGINE_VERSION}-checksums.txt", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - a fixed https address
                expected = published_checksum(answer.read().decode(), archive)
            with urlopen(f"{RELEASES}/{archive}", timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - a fixed https address
                shutil.copyfileobj(answer, file)
        except (OSError, HTTPException) as error:
            raise DownloadError(f"{RELEASES} cannot be reached: {error}") from None
        verify(file, expected, archive)
        unpack(file, directory)


def published_checksum(checksums: str, archive: str) -> str:
    """Find an archive's SHA-256 among lines of `<checksum>  <file>`."""
    for line in checksums.splitlines():
        checksum, _, name = line.partition(" ")
        if name.strip().lstrip("*") == archive:
            return checksum
    raise DownloadError(f"the published checksums do not name {archive}")


def verify(file: BufferedRandom | BytesIO, expected: str, archive: str) -> None:
    """Refuse a file whose SHA-256 is not the expected one."""
    file.seek(0)
    if (actual := hashlib.file_digest(file, "sha256").hexdigest()) != expected.lower():
        raise DownloadError(f"{archive} has SHA-256 {actual}, published is {expected}")


def unpack(file: BufferedRandom | BytesIO, directory: Path) -> None:
    """Copy the programs, which the archive holds under `pulumi/`, into `directory`; nothing else can be written."""
    directory.mkdir(parents=True, exist_ok=True)
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:gz") as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            program = directory / Path(member.name).name
            with content, program.open("wb") as target:
                shutil.copyfileobj(content, target)
            program.chmod(0o755)
