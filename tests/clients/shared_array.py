"""ctest fixtures of the client tests: one array for all of them, and the newest boto3 and AWS CLI.

    shared_array.py up|down|venv DIRECTORY
"""
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "array"))
from turbine_array import free_ports, turbine  # pylint: disable=wrong-import-position

NEWEST = ["boto3", "awscli"]


def up(array):
    down(array)  # what an interrupted run has left
    for _ in range(5):  # a port may be taken between the look and the start
        s3_port, admin_port = free_ports(2)
        done = turbine("up", "--dir", array, "--s3-port", s3_port, "--admin-port", admin_port)
        if done.returncode != 4:
            break
    print(done.stdout, done.stderr)
    return done.returncode


def down(array):
    if (array / "array.toml").exists():
        done = turbine("down", "--dir", array)
        print(done.stdout, done.stderr)
        if done.returncode != 0:
            return done.returncode
    shutil.rmtree(array, ignore_errors=True)
    return 0


def venv(directory):
    """Debian's interpreter, so that the only difference to Debian's boto3 is boto3."""
    if not (directory / "bin" / "pip").exists():
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(directory)], check=True)
    pip = [str(directory / "bin" / "pip"), "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--upgrade", *NEWEST], check=True)
    subprocess.run([str(directory / "bin" / "pip"), "list"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit({"up": up, "down": down, "venv": venv}[sys.argv[1]](pathlib.Path(sys.argv[2])))
