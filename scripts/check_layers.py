#!/usr/bin/env python3
"""Checks who may include whom under src/ (docs/ARCHITECTURE.md has the same table for people).

Usage: check_layers.py [SRC]. Exit 1 and one line per forbidden include, missing README or third-party
header outside the one folder that owns it. To change a rule, change it here in the same commit.
"""
import pathlib
import re
import sys

ALLOWED = {
    "core": [],
    "io": ["core"],
    "retail": ["core"],
    "sources": ["core", "io", "retail"],
    "database": ["core"],
    "lake": ["core", "io", "retail", "database"],
    "warehouse": ["core", "io", "database", "lake"],
    "forecast": ["core"],
    "registry": ["core", "io"],
    "pipeline": ["core", "io", "retail", "sources", "database", "lake", "warehouse", "forecast", "registry"],
    "api": ["core", "retail", "pipeline"],
    "cli": ["core", "database", "pipeline", "api"],
}
# A third-party header is seen only in the folder that wraps it.
THIRD_PARTY = {
    r"duckdb\.h": ["database"],
    r"boost/": ["api"],
    r"grpc(pp)?/|google/protobuf/|tillcast/v\d+/": ["api"],
    r"CLI/": ["cli"],
    r"toml\+\+/": ["core"],
    r"yaml-cpp/": ["warehouse"],
    r"(isa-l|isal)|igzip_lib\.h|minizip/|unzip\.h|expat\.h": ["sources"],
    r"openssl/": ["io"],
    r"nlopt\.h|Eigen/|LightGBM/": ["forecast"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)


def main() -> int:
    src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    faults = []
    for folder in sorted(p for p in src.iterdir() if p.is_dir()):
        if folder.name not in ALLOWED:
            faults.append(f"{folder}: not in the table of scripts/check_layers.py")
            continue
        if not (folder / "README.md").exists():
            faults.append(f"{folder}: no README.md")
        for file in sorted(folder.rglob("*")):
            if file.suffix not in (".h", ".cpp"):
                continue
            for own, system in INCLUDE.findall(file.read_text(encoding="utf-8")):
                target = own.split("/")[0] if "/" in own else None
                if target in ALLOWED and target != folder.name and target not in ALLOWED[folder.name]:
                    faults.append(f"{file}: {folder.name} may not include {own}")
                for pattern, owners in THIRD_PARTY.items():
                    if re.match(pattern, own or system) and folder.name not in owners:
                        faults.append(f"{file}: <{own or system}> belongs to src/{' or src/'.join(owners)}")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
