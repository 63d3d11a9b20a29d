#!/usr/bin/env python3
"""Checks the style rules that a machine can check: lengths, names, marks of unfinished work.

Usage: check_style.py [ROOT]. Exit 1 and one line per fault. Looks at tracked files, and without git at the source
folders.
"""
import pathlib
import re
import subprocess
import sys

LINES_MAX = 600
# Longer for a reason, which stands at the top of the file.
LONG_FILES: set[str] = set()
FORBIDDEN_STEMS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
CODE = {".h", ".cpp", ".py", ".sh", ".cmake", ".sql", ".js", ".ts", ".svelte", ".css", ".html"}
FOLDERS = ("src", "tests", "bench", "scripts", "cmake", "warehouse", "web", "docs", "proto", "deploy")
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
# Paths of one machine have no place in a project that is cloned.
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:home/\w+|root|work)/\w+")


def files_of(root: pathlib.Path) -> list[pathlib.Path]:
    try:
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True, check=True).stdout
        return [root / name for name in listed.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        return [file for folder in FOLDERS for file in sorted((root / folder).rglob("*")) if file.is_file()]


def faults_of(root: pathlib.Path, file: pathlib.Path) -> list[str]:
    name = file.relative_to(root).as_posix()
    faults = []
    if set(file.stem.lower().split("_")) & FORBIDDEN_STEMS:
        faults.append(f"{name}: name the file after its concept, not '{file.stem}'")
    if file.suffix not in CODE and file.suffix not in (".md", ".toml", ".txt", ".test"):
        return faults
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        # Test data may be in any encoding.
        return faults if name.startswith("tests/") else faults + [f"{name}: not UTF-8"]
    lines = text.count("\n")
    if file.suffix in CODE and lines > LINES_MAX and name not in LONG_FILES:
        faults.append(f"{name}: {lines} lines, more than {LINES_MAX}; look for the second noun")
    if file.suffix == ".h" and "#pragma once" not in text:
        faults.append(f"{name}: no #pragma once")
    if name.startswith("tests/data/"):
        return faults
    for number, line in enumerate(text.splitlines(), 1):
        if found := UNFINISHED.search(line):
            faults.append(f"{name}:{number}: {found.group(1)}: finish it, or open an issue")
        if found := MACHINE_PATH.search(line):
            faults.append(f"{name}:{number}: {found.group(0)} is a path of one machine")
        if file.suffix in CODE and line.rstrip("\r\n") != line.rstrip():
            faults.append(f"{name}:{number}: trailing blanks")
    return faults


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = [file for file in files_of(root) if file.is_file()]
    faults = [fault for file in files for fault in faults_of(root, file)]
    for fault in faults:
        print(fault)
    if not faults:
        print(f"{len(files)} files follow the style rules")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
