"""No verb of `chip` shows a secret: not in its text, its JSON, a trace, an
error, a log, a file that is none of the secret's own, or a core file."""

import os
import re
import resource
import signal
import subprocess
import sys
import time

import board_case
import kw

# Files that hold secrets by design: key files, images of chips, and what
# the tests themselves put there or asked for.
OWN = {"keys", "chips", "backups", "given"}


class Case(board_case.Case):
    def setUp(self):
        super().setUp()
        self.given = self.kw.folder / "given"
        self.given.mkdir()
        self.secrets = {}

    def secret(self, name, size=32):
        """A file with a secret that must not turn up elsewhere."""
        data = os.urandom(size)
        if size == 32:
            data = b"\x01" + data[1:]  # also a private key
        self.secrets[name] = data
        path = self.given / name
        path.write_bytes(data)
        path.chmod(0o600)
        return path

    def private_keys(self, name):
        """The keys that an emulated chip holds: docs/formats.md."""
        image = self.kw.at("chips", f"{name}.chip").read_bytes()
        for slot in range(5):
            at = 64 + 196 + 36 * slot + 4
            key = image[at:at + 32]
            if len(set(key)) > 4:
                self.secrets[f"{name} slot {slot}"] = key

    def look_everywhere(self, logs=()):
        """Every output, log and file, against every secret known."""
        known = {**self.secrets, **self.kw.own_secrets()}
        self.assertGreater(len(known), 8)
        texts = [("an output", text.encode()) for text in self.kw.outputs]
        texts += [("a log", log) for log in logs]
        texts += [(str(path), path.read_bytes())
                  for path in self.kw.folder.rglob("*") if path.is_file()
                  and not OWN & set(path.relative_to(self.kw.folder).parts)]
        for where, data in texts:
            forms = kw.forms_of(data)
            for name, secret in known.items():
                self.assertFalse(kw.forms_show(forms, secret),
                                 f"{where} shows {name}: {data[:300]}")

    def each_way(self, *arguments):
        """A command as text and as JSON, each with a trace; the exit code
        does not matter."""
        self.kw.run("chip", *arguments, "--trace", code=None)
        self.kw.run("chip", *arguments, "--trace", "--json", code=None)

    def commands_of_trustflex(self):
        key = self.kw.newest(self.serial, "slot_6_secret_key.pem")
        five = self.secret("five")
        for arguments in (
                ("write", 5, "--file", five, "--key-file", key),
                ("write", 5, "--file", five),
                ("write", 5, "--file", five, "--key-file",
                 self.secret("not the key")),
                ("write", 9, "--file", self.secret("nine", 64)),
                ("write", 7, "--file", self.secret("seven")),
                ("write", 2, "--file", self.secret("private"), "--yes"),
                ("write", 2, "--file", self.given / "private", "--yes",
                 "--key-file", key),
                ("write", 14, "--file", self.secret("too long", 80)),
                ("mac", 5, "--key-file", five),
                ("mac", 6, "--key-file", key),
                ("mac", 6, "--key-file", five),
                ("sha", five), ("sha", five, "--hmac", 5),
                ("sha", five, "--hmac", 6),
                ("read", 5), ("read", 5, "--key-file", key, "-o", "given/r"),
                ("read", 0), ("genkey", 2, "--yes"), ("genkey", 0, "--public"),
                ("sign", 0, "--file", five), ("config",), ("explain", 5),
                ("slots",), ("lock", "slot", 5, "--dry-run"),
                ("counter", 0, "--increment", "--yes")):
            self.each_way(*arguments)


class Everywhere(Case):
    def test_in_this_process(self):
        self.kw.run("resources", "make", "--trace")
        self.commands_of_trustflex()
        self.private_keys("trustflex")
        self.each_way("snapshot")
        snapshot = max(self.kw.at("backups").glob("*.chip"))
        self.each_way("restore", snapshot, "--yes")
        self.each_way("retire", "--yes")
        self.private_keys("trustflex")
        self.look_everywhere()

    def test_over_a_board(self):
        self.kw.run("resources", "make", "--trace")
        board = self.serve("--tcp", "0")
        self.commands_of_trustflex()
        self.private_keys("trustflex")
        board.send_signal(signal.SIGTERM)
        logs = board.communicate(timeout=kw.TIMEOUT)
        self.look_everywhere(logs)

    def test_a_blank_chip(self):
        blank = ("--chip", "sim:blank")
        four = self.secret("four")
        self.each_way("write", 3, "--file", self.secret("early"), *blank)
        self.each_way("lock", "config", "--yes", *blank)
        for arguments in (("write", 4, "--file", four),
                          ("write", 3, "--file", self.secret("three", 36)),
                          ("write", 0, "--file", self.secret("key"), "--yes"),
                          ("lock", "data", "--yes"),
                          ("read", 3, "--key-file", four, "-o", "given/3"),
                          ("read", 3, "--key-file", four),
                          ("mac", 4, "--key-file", four)):
            self.each_way(*arguments, *blank)
        self.kw.run("resources", "make")
        self.look_everywhere()

    def test_recorded_frames(self):
        """What a trace of a wire would hold, shown again."""
        import chip_client
        secret = self.secret("recorded").read_bytes()
        lines = []
        for opcode in (0x02, 0x12, 0x46, 0x47, 0x51, 0x56):
            packet = chip_client.packet(opcode, 0x82, 6 << 3, secret + secret)
            answer = bytes([35]) + secret
            lines += ["> " + packet.hex(),
                      "< " + (answer + chip_client.crc(answer)).hex()]
        frames = self.given / "frames"
        frames.write_text("\n".join(lines), encoding="ascii")
        config = self.kw.run("chip", "read", "config", "-o", "config.bin")
        self.assertEqual(config.code, 0)
        self.each_way("trace", frames)
        self.each_way("trace", frames, "--config", "config.bin")
        self.each_way("trace", frames, "--config", frames)
        self.kw.run("resources", "make")
        self.look_everywhere()

    def test_a_trace_names_the_slot(self):
        """Left out, and said to be."""
        self.kw.run("resources", "make")
        path = self.secret("nine", 64)
        trace = self.kw.trace("chip", "write", 9, "--file", path, "--yes")
        self.assertEqual(len(re.findall(r"<32 bytes, secret of slot 9>",
                                        trace)), 2)
        key = self.kw.newest(self.serial, "slot_6_secret_key.pem")
        trace = self.kw.trace("chip", "write", 5, "--file",
                              self.secret("five"), "--key-file", key,
                              "--yes")
        self.assertIn("<32 bytes, secret of slot 5> <32 bytes, MAC>", trace)


def dumps_core():
    """True when a process that dies here leaves a core behind."""
    script = "import os, signal; os.kill(os.getpid(), signal.SIGQUIT)"
    process = subprocess.Popen([sys.executable, "-c", script],
                               preexec_fn=allow_cores, cwd="/tmp")
    _, status = os.waitpid(process.pid, 0)
    process.returncode = 0
    for path in ("/tmp/core", f"/tmp/core.{process.pid}"):
        if os.path.exists(path):
            os.remove(path)
    return os.WCOREDUMP(status)


def allow_cores():
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


class Cores(Case):
    def test_a_command_leaves_none(self):
        if not dumps_core():
            self.skipTest("no process leaves a core file on this system")
        # It has the chip open, with all its keys, and waits for a line.
        process = self.kw.start("chip", "run", "-", stdin=subprocess.PIPE,
                                preexec_fn=allow_cores)
        process.stdin.write(b"chip info\n")
        process.stdin.flush()
        owner = self.kw.at("run", "trustflex.owner")
        deadline = time.monotonic() + kw.TIMEOUT
        while (not owner.exists() or not owner.read_text().startswith(
                f"{process.pid} ")) and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGQUIT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -signal.SIGQUIT
        process.stdin.close()
        process.stdout.close()
        process.stderr.close()
        self.assertTrue(os.WIFSIGNALED(status))
        self.assertFalse(os.WCOREDUMP(status))
        self.assertEqual(list(self.kw.folder.glob("core*")), [])


if __name__ == "__main__":
    kw.main()
