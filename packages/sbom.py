"""Writes the software bill of materials of the binary: CycloneDX JSON, from `cargo metadata` and Cargo.lock.

sbom.py CARGO_LOCK BINARY <METADATA >SBOM
"""

from __future__ import annotations

import hashlib
import json
import sys
import tomllib
import uuid
from pathlib import Path
from typing import Any

PROGRAM = "codecommit-local"


def linked(metadata: dict[str, Any], root: str) -> dict[str, list[str]]:
    """Return the ids of the packages that are in the program, each with those that it depends on.

    A dependency of builds or tests is not in the program, and a procedural macro ends at compile time.
    """
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    macros = {
        package["id"] for package in metadata["packages"] if any("proc-macro" in target["kind"] for target in package["targets"])
    }
    found: dict[str, list[str]] = {}
    waiting = [root]
    while waiting:
        package = waiting.pop()
        if package in found:
            continue
        normal = [
            dependency["pkg"]
            for dependency in nodes[package]["deps"]
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]) and dependency["pkg"] not in macros
        ]
        found[package] = sorted(normal)
        waiting += normal
    return found


def component(package: dict[str, Any], checksum: str | None) -> dict[str, Any]:
    """Return the component of a package."""
    name = f"pkg:cargo/{package['name']}@{package['version']}"
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": name,
        "name": package["name"],
        "version": package["version"],
        "purl": name,
    }
    if package["license"]:
        # A slash is the former form of OR.
        found["licenses"] = [{"expression": " OR ".join(name.strip() for name in package["license"].split("/"))}]
    if checksum:
        found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return found


def main() -> None:
    """Write the document; the same program gives the same document."""
    lock, binary = sys.argv[1:]
    metadata = json.load(sys.stdin)
    locked = tomllib.loads(Path(lock).read_text())["package"]
    checksums = {(package["name"], package["version"]): package.get("checksum") for package in locked}
    packages = {package["id"]: package for package in metadata["packages"]}
    (root,) = (
        package["id"] for package in metadata["packages"] if package["name"] == PROGRAM and package["source"] is None
    )
    edges = linked(metadata, root)
    components = {
        package: component(packages[package], checksums.get((packages[package]["name"], packages[package]["version"])))
        for package in edges
    }
    digest = hashlib.sha256(Path(binary).read_bytes()).hexdigest()
    program = components.pop(root) | {"type": "application", "hashes": [{"alg": "SHA-256", "content": digest}]}
    reference = {package: found["bom-ref"] for package, found in {**components, root: program}.items()}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_URL, f"sha256:{digest}").urn,
        "version": 1,
        "metadata": {"component": program},
        "components": sorted(components.values(), key=lambda found: found["bom-ref"]),
        "dependencies": sorted(
            (
                {"ref": reference[package], "dependsOn": sorted(reference[needed] for needed in needs)}
                for package, needs in edges.items()
            ),
            key=lambda found: str(found["ref"]),
        ),
    }
    json.dump(document, sys.stdout, indent=1)
    print()


main()
