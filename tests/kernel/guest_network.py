"""A network of a test's own, in which tap devices lead to guests: nothing of the host's network is
seen or changed, and all of it goes with its last process. Needs no root where users may have
namespaces.

    if __name__ == "__main__":
        guest_network.enter()      # runs the program again, inside
        guest_network.add_guest("10.9.0.2")
        KernelClient(network=guest_network.of_guest("10.9.0.2"))
"""
import os
import subprocess
import sys

HOST = "10.9.0.1"  # of this machine, as all guests see it
INSIDE = "TURBINE_TEST_GUEST_NETWORK"


def enter():
    """Returns inside only: outside, the process becomes one that runs the same program inside."""
    if INSIDE in os.environ:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    os.execvpe("unshare", [*unshare, sys.executable, *sys.argv], {**os.environ, INSIDE: "1"})


def device_of(address):
    return f"guest{address.rpartition('.')[2]}"


def add_guest(address):
    """The tap device of a guest, who reaches this machine and no other guest."""
    assert INSIDE in os.environ, "this is the host's network"
    device = device_of(address)
    for command in [f"tuntap add {device} mode tap", f"addr add {HOST} peer {address} dev {device}",
                    f"link set {device} up"]:
        subprocess.run(["ip", *command.split()], check=True)


def of_guest(address):
    """What KernelClient calls it."""
    return f"tap:{device_of(address)}:{address}"
