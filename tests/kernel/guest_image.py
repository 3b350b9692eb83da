"""What a guest boots: a stock Debian kernel with the modules that an NFS client needs, and an
initial file system of busybox, mount.nfs and what the workloads use. Needs no root; the result is
cached by its content."""
import gzip
import hashlib
import lzma
import os
import pathlib
import re
import shutil
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
KERNEL_PACKAGE = "linux-image-cloud-amd64"  # a meta package: depends on the newest of Debian 12
MODULES = ["virtio_pci", "virtio_console", "virtio_net", "nfsv3"]
# Programs of the host, each with its shared libraries. Names without a path are looked up in PATH.
PROGRAMS = ["mount.nfs", "rpcbind", "rpc.statd", "tcc", "make", "git", "fio", "tar"]
# The C library's headers and start files, for tcc.
LOADER = "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"  # where tcc looks for it
DEVELOPMENT = ["libc6-dev", "linux-libc-dev", "tcc"]
PASSWD = ["root:0:0", "user:1000:1000", "other:1001:1001", "statd:104:65534", "_rpc:105:65534",
          "nobody:65534:65534"]
DIRECTORIES = ["bin", "sbin", "dev", "etc", "mnt", "proc", "root", "run", "sys", "tmp", "usr/bin",
               "usr/sbin", "var/lib/nfs/sm", "var/lib/nfs/sm.bak", "run/rpcbind",
               "run/sendsigs.omit.d", "usr/share/git-core/templates"]


class ImageError(Exception):
    """A tool or package is missing, or the kernel can't be had; says which and what to install."""


def run(*command, cwd=None):
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, check=False)
    if done.returncode:
        raise ImageError(f"{' '.join(map(str, command))} ended with {done.returncode}: "
                         f"{done.stderr.decode(errors='replace').strip()[-500:]}")
    return done.stdout


def which(program):
    found = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise ImageError(f"no program {program}: run scripts/deps.sh --tests")
    return pathlib.Path(found)


def add_file(root, source, target=None):
    target = root / str(target or source).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def add_program(root, program):
    """Copies a program to /usr/bin of the guest, and each library that ldd names."""
    path = which(program)
    add_file(root, path, f"/usr/bin/{path.name}")
    listing = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    for library in re.findall(r"(/\S+) \(0x", listing):  # none: a static program or a script
        if not (root / library.lstrip("/")).exists():
            add_file(root, library)


def pack(root, archive):
    """A cpio archive of all below `root`, owned by root, as the kernel unpacks it."""
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))
    with open(archive, "wb") as out:
        done = subprocess.run(["cpio", "-o", "-H", "newc", "-R", "0:0", "--quiet"], cwd=root,
                              input="\n".join(names).encode(), stdout=out, stderr=subprocess.PIPE,
                              check=False)
    if done.returncode:
        raise ImageError(f"cpio ended with {done.returncode}: {done.stderr.decode()}")


def elf_of(bz_image):
    """The ELF kernel inside a bzImage (Linux x86 boot protocol 2.08 and later), or None. qemu
    enters it directly, which saves the guest from unpacking it under emulation: half the boot."""
    sectors, = struct.unpack_from("<B", bz_image, 0x1f1)
    offset, length = struct.unpack_from("<II", bz_image, 0x248)
    begin = ((sectors or 4) + 1) * 512 + offset
    payload = bz_image[begin:begin + length]
    try:
        if payload[:2] == b"\x1f\x8b":
            kernel = gzip.decompress(payload)
        elif payload[:6] == b"\xfd7zXZ\x00":
            kernel = lzma.LZMADecompressor().decompress(payload)
        else:
            tool = {b"\x02\x21\x4c\x18": "lz4", b"\x28\xb5\x2f\xfd": "zstd"}.get(payload[:4])
            if not tool or not shutil.which(tool):
                return None
            # Four bytes of size follow the compressed stream.
            kernel = subprocess.run([tool, "-dc"], input=payload[:-4], capture_output=True,
                                    check=True).stdout
    except (OSError, EOFError, lzma.LZMAError, subprocess.CalledProcessError):
        return None
    return kernel if kernel[:4] == b"\x7fELF" else None


def kernel_package(work):
    """Path of the kernel's .deb: $TURBINE_GUEST_KERNEL, or what apt downloads."""
    given = os.environ.get("TURBINE_GUEST_KERNEL")
    if given:
        return pathlib.Path(given)
    depends = run("apt-cache", "depends", KERNEL_PACKAGE).decode()
    names = re.findall(r"Depends: (linux-image-\S+)", depends)
    if not names:
        raise ImageError(f"apt knows no {KERNEL_PACKAGE}: run apt-get update, or name a kernel "
                         "package's file in TURBINE_GUEST_KERNEL")
    run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", names[0], cwd=work)
    return next(work.glob("*.deb"))


def install_kernel(work, root):
    """The kernel into work/kernel; its modules, those named and what they need, below root."""
    run("dpkg-deb", "-x", kernel_package(work), work / "package")
    modules = next((work / "package/lib/modules").iterdir())
    release = modules.name
    bz_image = (work / f"package/boot/vmlinuz-{release}").read_bytes()
    (work / "kernel").write_bytes(elf_of(bz_image) or bz_image)
    run("busybox", "depmod", "-b", work / "package", release)
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[pathlib.Path(path).name.split(".ko")[0]] = [path, *others.split()]
    for name in MODULES:
        for path in needs.get(name, []):  # not there: built into the kernel
            add_file(root, modules / path, f"/lib/modules/{release}/{path}")
    run("busybox", "depmod", "-b", root, release)


def install_development(root):
    """Headers, start files and libraries that tcc compiles and links C programs with."""
    add_file(root, LOADER)
    for package in DEVELOPMENT:
        for line in run("dpkg", "-L", package).decode().splitlines():
            path = pathlib.Path(line)
            wanted = (path.suffix == ".h" or path.name in ("crt1.o", "crti.o", "crtn.o", "libc.so",
                                                           "libc_nonshared.a", "libtcc1.a"))
            if wanted and path.is_file() and not re.search(r"/(drm|rdma|sound|c\+\+)/", line):
                add_file(root, path)


def install_base(root):
    for directory in DIRECTORIES:
        (root / directory).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    add_file(root, which("busybox"), "/bin/busybox")
    for program in PROGRAMS:
        add_program(root, program)
    for applet in run("busybox", "--list").decode().split():
        if not (root / "usr/bin" / applet).exists() and applet != "busybox":
            (root / "bin" / applet).symlink_to("busybox")
    for link, target in [("sbin/umount.nfs", "/usr/bin/mount.nfs"),
                         ("sbin/mount.nfs", "/usr/bin/mount.nfs"),
                         ("sbin/modprobe", "/bin/busybox"), ("etc/mtab", "/proc/self/mounts"),
                         ("usr/bin/git-upload-pack", "git"), ("usr/bin/git-receive-pack", "git")]:
        (root / link).symlink_to(target)
    for name in ["netconfig", "protocols", "services", "rpc"]:
        if pathlib.Path("/etc", name).exists():
            add_file(root, f"/etc/{name}")
    users = [each.split(":") for each in PASSWD]
    (root / "etc/passwd").write_text("".join(f"{name}:x:{uid}:{gid}::/root:/bin/sh\n"
                                             for name, uid, gid in users))
    (root / "etc/group").write_text("".join(f"{name}:x:{gid}:\n" for name, _, gid in users))
    add_file(root, HERE / "guest_init.sh", "/init")
    (root / "init").chmod(0o755)


def cache_directory():
    """Of kernels and images, kept from run to run."""
    return os.environ.get("TURBINE_GUEST_CACHE") or pathlib.Path(
        os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "turbine-guest"


def image(cache):
    """The directory below `cache` with `kernel` and `base.cpio`, made now if it is not there."""
    key = hashlib.sha256()
    for source in [HERE / "guest_image.py", HERE / "guest_init.sh"]:
        key.update(source.read_bytes())
    key.update(os.environ.get("TURBINE_GUEST_KERNEL", "").encode())
    directory = pathlib.Path(cache) / key.hexdigest()[:16]
    if (directory / "kernel").exists():
        return directory
    directory.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent) as scratch:
        work, root = pathlib.Path(scratch), pathlib.Path(scratch) / "root"
        root.mkdir()
        install_kernel(work, root)
        install_base(root)
        install_development(root)
        directory.mkdir(exist_ok=True)
        pack(root, work / "base.cpio")
        (work / "base.cpio").replace(directory / "base.cpio")
        (work / "kernel").replace(directory / "kernel")  # last: says that all is there
    return directory
