"""The client snippets of README.md, run as they are printed against a real array."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from turbine_array import Array

README = pathlib.Path(__file__).resolve().parents[2] / "README.md"
# Debian's programs, not those of whoever runs the tests.
PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"


def snippets():
    """(title, language, text) of each fenced block below "## Clients"."""
    section = README.read_text().split("\n## Clients\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"\n([A-Za-z0-9 ]+)[^\n]*:\n\n```(\w+)\n(.*?)```\n", section, re.S)
    assert len(found) == section.count("```") // 2, "a snippet without a title line"
    return found


class Readme(unittest.TestCase):
    def test_client_snippets_work_as_printed(self):
        with Array(blades=6) as array, tempfile.TemporaryDirectory() as home:
            picture = os.urandom(300_000)
            (pathlib.Path(home) / "cat.jpg").write_bytes(picture)
            env = {**array.settings(), "HOME": home, "PATH": PATH}
            titles = []
            for title, language, text in snippets():
                program = {"sh": ["bash", "-euo", "pipefail", "-c", text],
                           "python": ["python3", "-c", text]}[language]
                done = subprocess.run(program, env=env, cwd=home, capture_output=True, text=True,
                                      timeout=120, check=False)
                self.assertEqual(done.returncode, 0,
                                 f"{title}:\n{text}\n{done.stdout}\n{done.stderr}")
                titles.append(title)
            self.assertGreaterEqual(len(titles), 8)
            s3 = array.s3()
            keys = s3.keys("photos")
            for client in ["aws", "boto3", "curl", "rclone", "s3cmd"]:
                self.assertIn(f"{client}/cat.jpg", keys)
                self.assertEqual(s3.get("photos", f"{client}/cat.jpg"), picture)
            for file in ["s3fs.jpg", "nfs.jpg"]:
                self.assertEqual(s3.get("photos", file), picture)
            self.assertIn("config", s3.keys("backups"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
