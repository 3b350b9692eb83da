#!/usr/bin/env python3
"""Checks the shape of the tree: layers, sizes, seams. Run as the ctest `tidy`.

    scripts/tidy.py [--root DIR]     print complaints, exit 1 if there are any
    scripts/tidy.py --self-test      feed bad snippets and expect each complaint
"""
import argparse
import pathlib
import re
import sys
import tempfile

# Includes point down: from a later line to an earlier one, or inside a folder.
LAYERS = [
    ["base", "io"],
    ["proto"],
    ["journal", "kv", "erasure", "rpc"],
    ["chunk", "cluster", "etcd"],
    ["replica"],
    ["stripe"],
    ["meta"],
    ["fs"],
    ["nfs", "s3", "admin", "client"],
    ["gatewayd", "bladed", "managerd"],
    ["cli"],
]

# Includes between folders of one line that are allowed: (who, whom). Keep it free of circles.
SIDEWAYS = {
    ("io", "base"),
    ("chunk", "cluster"),
    ("etcd", "cluster"),
}

# A library is named behind its seam only: (what, the code that names it, who may).
SEAMS = [
    ("RocksDB", r"#\s*include\s*[<\"]rocksdb/|\brocksdb::", r"src/kv/[^/]*\.cpp$"),
    ("liburing", r"#\s*include\s*[<\"]liburing|\bio_uring_\w+\s*\(|\bstruct\s+io_uring\b",
     r"src/io/uring[^/]*$"),
    ("ISA-L", r"#\s*include\s*[<\"](isa-l|isal)|\b(ec_encode_data|ec_init_tables|gf_\w+)\s*\(",
     r"src/erasure/[^/]*\.cpp$"),
    ("Beast", r"#\s*include\s*[<\"]boost/beast|\bbeast::",
     r"src/(s3|admin|etcd)/[^/]*(connection|server)[^/]*\.cpp$"),
]

HEADER_LINES_MAX = 200
SOURCE_LINES_MAX = 500
README_LINES_MAX = 20
LINE_CHARS_MAX = 100
WAIVER_LINES = 15  # a waiver stands in the first lines of the file

CODE = {".hpp", ".cpp"}
TEXT = CODE | {".proto", ".py", ".sh", ".cmake"}
CODE_TREES = ["src", "tests", "bench", "include"]
TEXT_TREES = CODE_TREES + ["proto", "scripts", "cmake"]

LEVEL = {folder: n for n, line in enumerate(LAYERS) for folder in line}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"', re.S)


def without_comments(text):
    """The code with comments and strings blanked, lines kept; includes keep their names."""
    def blank(match):
        found = match.group(0)
        before = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
        if found.startswith('"') and re.match(r"\s*#\s*include\s*$", before):
            return found
        return re.sub(r"[^\n]", " ", found)
    return COMMENT_OR_STRING.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


class Tidy:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.complaints = []

    def complain(self, path, line, what):
        self.complaints.append(f"{path}:{line}: {what}")

    def files(self, trees, endings):
        for tree in trees:
            for path in sorted((self.root / tree).rglob("*")):
                rel = path.relative_to(self.root).as_posix()
                if path.suffix in endings and path.is_file() and "fuzz/corpus" not in rel:
                    yield rel, path.read_text(encoding="utf-8", errors="replace")

    def run(self):
        for rel, text in self.files(TEXT_TREES, TEXT):
            self.check_line_length(rel, text)
        for rel, text in self.files(CODE_TREES, CODE):
            code = without_comments(text)
            self.check_file_length(rel, text)
            self.check_includes(rel, code)
            self.check_own_header_first(rel, code)
            self.check_detached(rel, text, code)
            self.check_seams(rel, code)
        self.check_folders()
        return self.complaints

    def check_line_length(self, rel, text):
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > LINE_CHARS_MAX and "://" not in line:
                self.complain(rel, number, f"line of {len(line)} > {LINE_CHARS_MAX} characters")

    def check_file_length(self, rel, text):
        lines = text.splitlines()
        bound = HEADER_LINES_MAX if rel.endswith(".hpp") else SOURCE_LINES_MAX
        waived = any(re.search(r"//\s*tidy: long because \S", x) for x in lines[:WAIVER_LINES])
        if len(lines) > bound and not waived:
            self.complain(rel, 1, f"file of {len(lines)} > {bound} lines; split it, or say "
                          "`// tidy: long because ...` in its first lines")

    def check_includes(self, rel, code):
        parts = rel.split("/")
        for match in INCLUDE.finditer(code):
            quoted, target = match.group(1) == '"', match.group(2)
            line = line_of(code, match.start())
            if parts[0] == "include":
                if quoted and not target.startswith("turbine/"):
                    self.complain(rel, line, f"public header includes {target}")
                continue
            if not quoted or parts[0] != "src":
                continue
            folder, other = parts[1], target.split("/")[0]
            if other == "support" and re.search(r"_(test|fuzz|bench)\.cpp$", rel):
                continue  # tests/support
            if other == "turbine":
                continue  # include/turbine, our own public header
            if "/" not in target or other not in LEVEL:
                self.complain(rel, line, f'include "{target}" does not start with a folder of src')
            elif folder not in LEVEL:
                self.complain(rel, line, f"folder {folder} has no layer in scripts/tidy.py")
            elif LEVEL[other] > LEVEL[folder]:
                self.complain(rel, line, f"upward include: {folder} may not see {other}")
            elif (LEVEL[other] == LEVEL[folder] and other != folder
                  and (folder, other) not in SIDEWAYS):
                self.complain(rel, line, f"unlisted sideways include: {folder} sees {other}")

    def check_own_header_first(self, rel, code):
        if not rel.startswith("src/") or not rel.endswith(".cpp"):
            return
        own = rel[len("src/"):-len(".cpp")] + ".hpp"
        if not (self.root / "src" / own).exists():
            return
        first = INCLUDE.search(code)
        if not first or first.group(2) != own:
            self.complain(rel, line_of(code, first.start()) if first else 1,
                          f'own header "{own}" is not included first')

    def check_detached(self, rel, text, code):
        lines = text.splitlines()
        for match in re.finditer(r"\bdetached(_t)?\b", code):
            line = line_of(code, match.start())
            if not re.search(r"//\s*tidy: detached because \S", lines[line - 1]):
                self.complain(rel, line, "detached spawn; go through a Gate")

    def check_seams(self, rel, code):
        for what, names, allowed in SEAMS:
            match = re.search(names, code)
            if match and not re.match(allowed, rel):
                self.complain(rel, line_of(code, match.start()), f"{what} named outside its seam")

    def check_folders(self):
        src = self.root / "src"
        folders = {p.name for p in src.iterdir() if p.is_dir()} if src.is_dir() else set()
        self.check_rows("src/README.md", {f"`{f}`" for f in folders})
        for folder in sorted(folders):
            if folder not in LEVEL:
                self.complain(f"src/{folder}", 1, f"folder {folder} has no layer in this script")
            self.check_folder_readme(src / folder)
            self.check_sources_listed(src / folder)
        self.check_rows("docs/decisions/README.md", None)
        self.check_rows("docs/format/README.md", None)

    def check_rows(self, rel, expected):
        """The first cell of each table row names something that exists, and nothing is missing."""
        path = self.root / rel
        if not path.exists():
            if expected:
                self.complain(rel, 1, "README is missing")
            return
        seen = set()
        for number, line in enumerate(path.read_text().splitlines(), 1):
            row = re.match(r"\|\s*(`[^`]+`|\[[^\]]+\]\([^)]+\))\s*\|", line)
            if not row:
                continue
            cell = row.group(1)
            link = re.search(r"\(([^)]+)\)", cell)
            name = link.group(1) if link else cell.strip("`")
            seen.add(cell)
            if not (path.parent / name).exists():
                self.complain(rel, number, f"stale README row: {name} does not exist")
        for missing in sorted((expected or set()) - seen):
            self.complain(rel, 1, f"README has no row for {missing}")

    def check_folder_readme(self, folder):
        rel = folder.relative_to(self.root).as_posix() + "/README.md"
        path = folder / "README.md"
        if not path.exists():
            self.complain(rel, 1, "README is missing")
            return
        lines = path.read_text().splitlines()
        if len(lines) > README_LINES_MAX:
            self.complain(rel, 1, f"README of {len(lines)} > {README_LINES_MAX} lines")
        for number, line in enumerate(lines, 1):
            for name in re.findall(r"`([\w/]+\.(?:hpp|cpp|proto|md|py))`", line):
                places = [folder / name, folder.parent / name, self.root / name]
                if not any(p.exists() for p in places):
                    self.complain(rel, number, f"stale README row: {name} does not exist")

    def check_sources_listed(self, folder):
        lists = folder / "CMakeLists.txt"
        rel = lists.relative_to(self.root).as_posix()
        listed = lists.read_text() if lists.exists() else ""
        words = set(re.split(r"[\s()]+", re.sub(r"#[^\n]*", "", listed)))
        for source in sorted(folder.rglob("*.cpp")):
            if source.relative_to(folder).as_posix() not in words:
                self.complain(rel, 1, f"{source.name} is in no target of this folder")


# --- its own test ----------------------------------------------------------------------------

def readmes(*folders):
    rows = "".join(f"| `{f}` | x |\n" for f in folders)
    out = {"src/README.md": "| folder | what |\n|---|---|\n" + rows}
    for folder in folders:
        out[f"src/{folder}/README.md"] = "# x\n"
        out[f"src/{folder}/CMakeLists.txt"] = "turbine_library(NAME x SOURCES a.cpp)\n"
    return out


def in_kv(text, name="a.cpp"):
    return readmes("kv") | {f"src/kv/{name}": text}


CASES = [
    # (title, files, expected complaint, or None for a tree without any)
    ("clean tree", in_kv('#include "base/x.hpp"\n#include <rocksdb/db.h>\n'), None),
    ("upward include", in_kv('#include "meta/x.hpp"\n'), "upward include: kv may not see meta"),
    ("sideways include", in_kv('#include "journal/x.hpp"\n'), "unlisted sideways include"),
    ("listed sideways include", readmes("io") | {"src/io/a.cpp": '#include "base/x.hpp"\n'}, None),
    ("commented include", in_kv('// #include "meta/x.hpp"\n'), None),
    ("include without folder", in_kv('#include "x.hpp"\n'), "does not start with a folder"),
    ("relative include", in_kv('#include "../meta/x.hpp"\n'), "does not start with a folder"),
    ("test support", readmes("kv") | {
        "src/kv/CMakeLists.txt": "turbine_test(kv SOURCES a_test.cpp)",
        "src/kv/a_test.cpp": '#include "support/x.hpp"\n'}, None),
    ("public header", in_kv("") | {"include/turbine/a.hpp": '#include "fs/x.hpp"\n'},
     "public header includes"),
    ("long header", in_kv("") | {"src/kv/b.hpp": "\n" * 201}, "file of 201 > 200 lines"),
    ("long source", in_kv("\n" * 501), "file of 501 > 500 lines"),
    ("waived source", in_kv("// tidy: long because a table\n" + "\n" * 600), None),
    ("waiver without a reason", in_kv("// tidy: long because\n" + "\n" * 600), "> 500 lines"),
    ("late waiver", in_kv("\n" * 600 + "// tidy: long because a table\n"), "> 500 lines"),
    ("long line", in_kv("// " + "x" * 98 + "\n"), "line of 101 > 100"),
    ("long line in a script", in_kv("") | {"scripts/a.sh": "#" * 101}, "line of 101 > 100"),
    ("own header second", in_kv('#include <vector>\n#include "kv/a.hpp"\n')
     | {"src/kv/a.hpp": ""}, "is not included first"),
    ("own header missing", in_kv("int a;\n") | {"src/kv/a.hpp": ""}, "is not included first"),
    ("own header first", in_kv('#include "kv/a.hpp"\n') | {"src/kv/a.hpp": ""}, None),
    ("detached", in_kv("co_spawn(c, f(), boost::asio::detached);\n"), "detached spawn"),
    ("detached in words", in_kv('// never detached\nauto s = "detached";\n'), None),
    ("waived detached", in_kv("f(detached);  // tidy: detached because it is the Gate\n"), None),
    ("RocksDB header", in_kv("") | {"src/kv/b.hpp": "#include <rocksdb/db.h>\n"}, "RocksDB named"),
    ("RocksDB above", readmes("meta") | {"src/meta/a.cpp": "rocksdb::DB* d;\n"}, "RocksDB named"),
    ("liburing", readmes("io") | {"src/io/a.cpp": "#include <liburing.h>\n"}, "liburing named"),
    ("liburing inside", readmes("io") | {
        "src/io/CMakeLists.txt": "turbine_library(NAME io SOURCES uring_device.cpp)",
        "src/io/uring_device.cpp": "#include <liburing.h>\n"}, None),
    ("ISA-L", in_kv("#include <isa-l.h>\n"), "ISA-L named"),
    ("Beast in an operation", readmes("s3") | {"src/s3/a.cpp": "#include <boost/beast.hpp>\n"},
     "Beast named"),
    ("Beast in a connection", readmes("s3") | {
        "src/s3/CMakeLists.txt": "turbine_library(NAME s3 SOURCES connection.cpp)",
        "src/s3/connection.cpp": "#include <boost/beast.hpp>\n"}, None),
    ("folder without layer", readmes("misc"), "has no layer"),
    ("folder without README", in_kv("") | {"src/io/CMakeLists.txt": ""}, "README is missing"),
    ("folder without row", in_kv("") | {"src/io/README.md": ""}, "no row for `io`"),
    ("stale row", in_kv("") | {"src/README.md": "| `kv` | x |\n| `gone` | x |\n"},
     "stale README row: gone"),
    ("stale file in README", in_kv("") | {"src/kv/README.md": "see `gone.hpp`\n"},
     "stale README row: gone.hpp"),
    ("long README", in_kv("") | {"src/kv/README.md": "\n" * 21}, "README of 21 > 20 lines"),
    ("stale decision", in_kv("") | {"docs/decisions/README.md": "| [1](001-x.md) | x |\n"},
     "stale README row: 001-x.md"),
    ("unlisted source", in_kv("", "b.cpp"), "b.cpp is in no target"),
]


def self_test():
    failures = 0
    for title, files, expected in CASES:
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = pathlib.Path(root) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            got = Tidy(root).run()
        good = any(expected in c for c in got) if expected else not got
        if not good:
            failures += 1
            print(f"FAILED {title}: expected {expected or 'no complaint'}, got {got}")
    print(f"{len(CASES)} cases, {failures} failed")
    return failures == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    args = parser.parse_args()
    if args.self_test:
        return 0 if self_test() else 1
    complaints = Tidy(args.root).run()
    print("\n".join(complaints) or "tidy")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
