#!/usr/bin/env python3
"""The checkers must see a planted fault of each kind: a checker that passes everything is no checker."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path("scripts").resolve()


def run(script: str, *arguments: str, fail_on_skip: bool = False) -> tuple[int, str]:
    # CI sets the variable for its own summary; these tests say for themselves what they expect.
    environment = {name: value for name, value in os.environ.items() if name != "TILLCAST_FAIL_ON_SKIP"}
    if fail_on_skip:
        environment["TILLCAST_FAIL_ON_SKIP"] = "1"
    done = subprocess.run([sys.executable, SCRIPTS / script, *arguments], capture_output=True, text=True, check=False,
                          env=environment)
    return done.returncode, done.stdout + done.stderr


class Planted(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.write("src/core/README.md", "core\n")
        self.write("src/core/date.h", "#pragma once\n")
        self.write("src/core/date.cpp", '#include "core/date.h"\n')

    def write(self, name: str, text: str):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def style(self) -> tuple[int, str]:
        return run("check_style.py", str(self.root))

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.style()[0], 0, self.style()[1])

    def test_style_faults_are_seen(self):
        faults = {
            "src/core/string_utils.h": ("#pragma once\n", "name the file after its concept"),
            "src/core/long.cpp": ("int x;\n" * 601, "601 lines"),
            "src/core/open.h": ("int x;\n", "no #pragma once"),
            "src/core/later.cpp": ("// TO" + "DO: later\n", "finish it"),
            "src/core/blank.cpp": ("int x; \n", "trailing blanks"),
            "docs/where.md": ("see /ho" + "me/someone/file\n", "path of one machine"),
        }
        for name, (text, message) in faults.items():
            with self.subTest(name):
                self.write(name, text)
                status, output = self.style()
                self.assertEqual(status, 1)
                self.assertIn(message, output)
                (self.root / name).unlink()

    def test_a_forbidden_include_is_seen(self):
        self.write("src/core/up.cpp", '#include "lake/manifest.h"\n')
        self.write("src/lake/README.md", "lake\n")
        status, output = run("check_layers.py", str(self.root / "src"))
        self.assertEqual(status, 1)
        self.assertIn("core may not include lake/manifest.h", output)


class Summary(unittest.TestCase):
    def summary(self, cases: str, fail_on_skip: bool = False) -> tuple[int, str]:
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(f"<testsuite>{cases}</testsuite>")
            file.flush()
            return run("test_summary.py", file.name, fail_on_skip=fail_on_skip)

    def test_cases_are_counted_and_skips_named(self):
        output = ("[ RUN      ] A.B\na.cpp:1: Skipped\nset TILLCAST_DATASETS\n\n[  SKIPPED ] A.B (0 ms)\n"
                  "[==========] 3 tests from 1 test suite ran. (1 ms total)\n")
        case = f'<testcase name="a" status="run"><system-out>{output}</system-out></testcase>'
        status, text = self.summary(case)
        self.assertEqual(status, 0)
        self.assertEqual(self.summary(case, fail_on_skip=True)[0], 1)
        self.assertIn("SKIPPED a: A.B: set TILLCAST_DATASETS", text)
        self.assertTrue(text.endswith("2 passed, 0 failed, 1 skipped\n"), text)

    def test_a_crash_is_a_failure_though_no_case_failed(self):
        output = "[==========] 3 tests from 1 test suite ran. (1 ms total)\n"
        status, text = self.summary(
            f'<testcase name="a" status="fail"><failure/><system-out>{output}</system-out></testcase>')
        self.assertEqual(status, 1)
        self.assertIn("3 passed, 1 failed, 0 skipped", text)

    def test_no_tests_at_all_fail(self):
        self.assertEqual(self.summary("")[0], 1)


if __name__ == "__main__":
    unittest.main()
