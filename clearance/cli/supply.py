"""What the portal is made of, from the lock and the packages' own metadata; no network but `audit`.

`python -m clearance.cli.supply sbom | licences | audit`, as the Makefile's targets do.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from clearance.core.settings import ROOT
from clearance.web.template_globals import VERSION

LOCK = ROOT / "requirements.txt"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
# Named by their licence files alone, or not installed here.
KNOWN = {"huey": "MIT", "brotlicffi": "MIT"}
AUDIT = ("tool", "run", "--quiet", "pip-audit@2.10.1", "--no-deps", "--disable-pip")
AUDIT_SECONDS = 60
LICENCES_HEAD = """\
# Licences

What each package of `requirements.txt` is licensed under, by its own metadata. `make licences`
writes this page, and a test holds it up to date. [dependencies.md](dependencies.md) says what those
that we chose are for; the others are what they need.

| package | version | licence |
|---|---|---|
"""


@dataclass(frozen=True)
class Package:
    """A line of the lock. hashes: SHA-256 of each of its distributions."""

    name: str
    version: str
    hashes: tuple[str, ...]

    @property
    def licence(self) -> str:
        """Its licence in words or as an SPDX expression; "" if its metadata has none."""
        if self.name in KNOWN:
            return KNOWN[self.name]
        try:
            about = importlib.metadata.metadata(self.name)
        except importlib.metadata.PackageNotFoundError:
            return ""
        if "License-Expression" in about:
            return about["License-Expression"]
        classifiers = (line.split(" :: ") for line in about.get_all("Classifier") or ())
        named = [parts[-1] for parts in classifiers if parts[0] == "License"]
        named = [name for name in named if name != "OSI Approved"]
        return "; ".join(named) or _first_line(about, "License")


def packages(lock: Path = LOCK) -> Iterator[Package]:
    """Yield the packages of the lock, in its order."""
    found: list[tuple[str, str, list[str]]] = []
    for line in lock.read_text(encoding="utf-8").splitlines():
        if pinned := PINNED.match(line):
            found.append((pinned[1], pinned[2], []))
        elif found:
            found[-1][2].extend(HASH.findall(line))
    for name, version, hashes in found:
        yield Package(name, version, tuple(hashes))


def sbom() -> dict[str, Any]:
    """Return a CycloneDX 1.5 document; the same lock and packages give the same document."""
    components = [_component(package) for package in packages()]
    portal = {"type": "application", "name": "clearance", "version": VERSION}
    digest = json.dumps([portal, components], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {"component": portal},
        "components": components,
    }


def licences() -> str:
    """Return docs/licences.md."""
    lines = (f"| {each.name} | {each.version} | {each.licence} |\n" for each in packages())
    return LICENCES_HEAD + "".join(lines)


def audit() -> int:
    """Print what pip-audit knows against the lock, or that it was skipped; 1 for any finding."""
    command = (str(ROOT / ".venv/bin/uv"), *AUDIT, "--format", "json", "--requirement", str(LOCK))
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, capture_output=True, text=True, timeout=AUDIT_SECONDS, check=False
        )
        found = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError):
        found = []
    judged = [each for each in found if "vulns" in each]
    if not judged:
        click.echo("pip-audit: skipped")
        return 0
    faults = [(each, vuln) for each in judged for vuln in each["vulns"]]
    for each, vuln in faults:
        mended = ", ".join(vuln.get("fix_versions") or ()) or "no release yet"
        click.echo(f"{each['name']} {each['version']}: {vuln['id']}, mended in {mended}")
    click.echo(f"pip-audit: {len(judged)} of {len(found)} packages judged, {len(faults)} findings")
    return 1 if faults else 0


def _first_line(about: importlib.metadata.PackageMetadata, name: str) -> str:
    return about[name].partition("\n")[0] if name in about else ""


def _component(package: Package) -> dict[str, Any]:
    purl = f"pkg:pypi/{package.name}@{package.version}"
    page = f"https://pypi.org/project/{package.name}/{package.version}/"
    hashes = [{"alg": "SHA-256", "content": digest} for digest in package.hashes]
    return {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
        "licenses": [{"license": {"name": package.licence}}] if package.licence else [],
        "externalReferences": [{"type": "distribution", "url": page, "hashes": hashes}],
    }


def main(what: str) -> int:
    """Do one of the three."""
    if what == "audit":
        return audit()
    click.echo(json.dumps(sbom(), indent=1) if what == "sbom" else licences(), nl=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
