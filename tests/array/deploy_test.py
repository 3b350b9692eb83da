"""The files of docs/DEPLOY.md, on three addresses of the loopback network instead of 10.0.0.x."""
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import tomllib
import unittest

from etcd_member import Etcd
from s3_client import S3
from turbine_array import BINARY, Array, turbine

DOCUMENT = pathlib.Path(__file__).parents[2] / "docs" / "DEPLOY.md"
UNITS = pathlib.Path(__file__).parents[2] / "packaging" / "systemd"
MACHINES = (11, 12, 13)


def documented():
    """The TOML blocks by the name in their first line."""
    text = DOCUMENT.read_text()
    return {name: body for name, body in re.findall(r"```toml\n# (\w+)\n(.*?)```", text, re.S)}


def documented_commands(name):
    return re.search(rf"```sh\n# {name}\n(.*?)```", DOCUMENT.read_text(), re.S).group(1)


class DeployTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="turbine-deploy-"))
        self.addCleanup(shutil.rmtree, self.root, True)
        # A network of its own, so that the documented ports are free.
        self.network = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}."
        self.etcd = Etcd(self.network + "11", 2379)
        self.addCleanup(self.etcd.stop)
        self.etcd.start()

    def start(self, kind, name, text):
        """`text` with the addresses and places of this test."""
        text = text.replace("10.0.0.", self.network).replace("/var/lib/turbine", str(self.root))
        tomllib.loads(text)
        path = self.root / f"{name}.toml"
        path.write_text(text)
        with open(self.root / f"{name}.log", "ab") as log:
            process = subprocess.Popen([BINARY, kind, "--config", path], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def make_certificates(self):
        """By the commands of the document; gives each machine what it says."""
        commands = documented_commands("tls").replace("10.0.0.", self.network)
        made = self.root / "authority"
        made.mkdir()
        subprocess.run(["bash", "-eu", "-c", commands], cwd=made, check=True, capture_output=True)
        for machine in MACHINES:
            place = self.root / f"tls-{machine}"
            place.mkdir()
            shutil.copy(made / "ca.pem", place / "ca.pem")
            for kind, name in (("pem", "cert.pem"), ("key", "key.pem")):
                shutil.copy(made / f"{self.network}{machine}.{kind}", place / name)

    def start_machine(self, machine, tls=False):
        files = documented()
        section = files["tls"].replace("/etc/turbine/tls", f"{self.root}/tls-{machine}")
        section = section if tls else ""
        number = MACHINES.index(machine) + 1
        here = f"10.0.0.{machine}"

        def moved(text):  # what stands alone names the machine, lists name all
            return re.sub(r'"(tcp:)?10\.0\.0\.11(:\d+)?"', rf'"\g<1>{here}\2"', text)
        # This etcd is one member, without TLS and password.
        manager = re.sub(r'address = .*', f'address = "{self.etcd.url()}"', files["manager"])
        manager = re.sub(r'(ca_file|user|password_file) = .*\n', "", manager)
        self.start("manager", f"manager-{number}", moved(manager) + section)
        for blade in (2 * number - 1, 2 * number):
            device = f'"{self.root}/blade-{blade}.img"\ndevice_bytes = {1 << 30}'
            text = moved(files["blade"]).replace("id = 1\n", f"id = {blade}\n")
            text = text.replace("blade-1", f"blade-{blade}").replace(
                '"/dev/disk/by-id/nvme-EXAMPLE-1"', device)
            text = text.replace("9f1c2e3d4b5a6978", f"{random.getrandbits(64):016x}")
            text = text.replace(":7001", f":{7000 + blade}").replace("9101", f"{9100 + blade}")
            (self.root / f"blade-{blade}").mkdir()
            self.start("blade", f"blade-{blade}", text + section)
        self.start("gateway", f"gateway-{number}",
                   moved(files["gateway"]).replace("gateway-1", f"gateway-{number}") + section)

    def test_what_is_documented_serves(self):
        self.start_and_use()

    def test_what_is_documented_of_tls_serves_and_keeps_others_out(self):
        self.make_certificates()
        self.start_and_use(tls=True)
        # A process of the array that has the secret and no section [tls].
        text = documented()["gateway"].replace("10.0.0.11:7100", "10.0.0.14:7100")
        self.start("gateway", "plain", re.sub(r'(s3|http)_host = .*\n', "", text))
        log = self.root / "manager-1.log"
        Array.wait_for(lambda: re.search(r"refused a connection: peer \S+ of \S+: no TLS: "
                                         "it does not speak TLS", log.read_text()), 20,
                       f"a line in {log}")

    def start_and_use(self, tls=False):
        for machine in MACHINES:
            self.start_machine(machine, tls)
        admin = ",".join(f"http://{self.network}{machine}:9090" for machine in MACHINES)
        env = {"TURBINE_ADMIN": admin, "TURBINE_TOKEN": "change-me-token"}
        Array.wait_for(lambda: turbine("status", env=env).returncode == 0, 40,
                       f"a healthy array; logs in {self.root}")
        keys = re.findall(r'root_\w+_key = "(\w+)"', documented()["manager"])
        gateways = [S3(f"http://{self.network}{machine}:9000", *keys) for machine in MACHINES]

        def ready():
            try:
                return all(gateway.raw("GET", "")[0] == 200 for gateway in gateways)
            except OSError:
                return False
        Array.wait_for(ready, 20, "all gateways")
        gateways[0].create_bucket("photos")
        gateways[1].put("photos", "cat", b"x" * 300_000)
        self.assertEqual(gateways[2].get("photos", "cat"), b"x" * 300_000)
        for gateway in gateways:
            gateway.close()

    def test_units_name_commands_that_exist(self):
        units = sorted(UNITS.glob("*.service"))
        self.assertEqual(len(units), 3)
        for unit in units:
            command = re.search(r"^ExecStart=/usr/bin/turbine (\w+) --config /etc/turbine/\S+$",
                                unit.read_text(), re.M)
            self.assertIsNotNone(command, unit)
            self.assertIn("--config", turbine(command.group(1), "--help").stdout)


if __name__ == "__main__":
    unittest.main()
