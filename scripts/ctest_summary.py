#!/usr/bin/env python3
"""Adds up the JUnit files that ctest wrote.

    scripts/ctest_summary.py FILE...

Prints `N passed, M failed, K skipped`; exits 1 when a test failed or was skipped, or none ran.
"""
import sys
import xml.etree.ElementTree as ElementTree


def main():
    passed, failed, skipped = 0, [], []
    for file in sys.argv[1:]:
        for case in ElementTree.parse(file).getroot().iter("testcase"):
            name, status = case.get("name"), case.get("status")
            if status == "fail" or case.find("failure") is not None:
                failed.append(name)
            elif status == "run" and case.find("skipped") is None:
                passed += 1
            else:  # skipped by itself, disabled, or its program is missing
                skipped.append(name)
    for what, names in (("failed", failed), ("skipped", skipped)):
        for name in names:
            print(f"{what}: {name}")
    print(f"{passed} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 0 if passed and not failed and not skipped else 1


if __name__ == "__main__":
    sys.exit(main())
