#!/usr/bin/env python3
"""Reads CTest's JUnit file and prints the skips, the failures and one plain last line:
`N passed, N failed, N skipped`. GoogleTest programs count by case, other tests as one.

Usage: test_summary.py JUNIT. Exit 1 when a test failed, when nothing ran, or when the file is missing.
With TILLCAST_FAIL_ON_SKIP set (CI), a skipped test is a failure too.
"""
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

RAN = re.compile(r"^\[==========\] (\d+) tests? from .* ran\.", re.M)
CASE = re.compile(r"^\[  (FAILED|SKIPPED) +\] ([\w/]+\.[\w/]+)(?:,.*)? \(\d+ ms\)$", re.M)
SKIP_REASON = re.compile(r": Skipped\n(.*?)\n*^\[", re.M | re.S)


def main() -> int:
    try:
        suite = ElementTree.parse(sys.argv[1]).getroot()
    except (OSError, ElementTree.ParseError) as error:
        print(f"no test results: {error}")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    passed, failed, skipped = 0, [], []
    for test in suite.iter("testcase"):
        name = test.get("name", "?")
        output = test.findtext("system-out") or ""
        ok = test.get("status") == "run" and test.find("failure") is None
        if test.get("status") in ("notrun", "disabled") or test.find("skipped") is not None:
            skipped.append((name, "not run by CTest"))
            continue
        ran = [int(count) for count in RAN.findall(output)]
        if not ran:
            if ok:
                passed += 1
            else:
                failed.append(name)
            continue
        bad = [case for kind, case in CASE.findall(output) if kind == "FAILED"]
        missed = [case for kind, case in CASE.findall(output) if kind == "SKIPPED"]
        reasons = [" ".join(text.split()) for text in SKIP_REASON.findall(output)]
        skipped += [(f"{name}: {case}", reasons[i] if i < len(reasons) else "") for i, case in enumerate(missed)]
        failed += [f"{name}: {case}" for case in bad]
        if not ok and not bad:
            failed.append(f"{name}: the program failed outside its cases (crash, leak or timeout)")
        passed += sum(ran) - len(bad) - len(missed)
    for case, reason in skipped:
        print(f"SKIPPED {case}: {reason}")
    for case in failed:
        print(f"FAILED  {case}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    if skipped and os.environ.get("TILLCAST_FAIL_ON_SKIP"):
        print("skipped tests count as failures here (TILLCAST_FAIL_ON_SKIP)", file=sys.stderr)
        return 1
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
