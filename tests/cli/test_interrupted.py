"""keywright: SIGINT while it waits for an input or an answer is exit 7."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import termios
import time

import kw
import manifest_oracle as oracle

DEADLINE = 30  # seconds
F_OFD_SETLK = 37


def wait_for(what, condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {DEADLINE} s")
        time.sleep(0.01)


def is_taken(descriptor):
    """Has the reader taken all that is in the pipe?"""
    count = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4))
    return struct.unpack("i", count)[0] == 0


def catches(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        caught = re.search(r"SigCgt:\s*(\w+)", file.read())[1]
    return int(caught, 16) >> (signal.SIGINT - 1) & 1


def sleeps(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "S"


class Interrupted(kw.Case):
    def setUp(self):
        super().setUp()
        self.init()

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=kw.TIMEOUT)
        self.assertEqual(process.returncode, 7, (out, err))
        return out.decode(), err.decode()

    def waits(self, beginning, *arguments):
        """The command's document, when it is interrupted after that much of
        its stdin."""
        reader, writer = os.pipe()
        process = self.kw.start(*arguments, "--json", stdin=reader)
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        os.write(writer, beginning)
        wait_for("the pipe is read", lambda: is_taken(reader))
        time.sleep(0.1)
        wait_for("the command waits", lambda: sleeps(process))
        document = json.loads(self.interrupt(process)[0])
        kw.validate(document)
        self.assertEqual(document["exit"], 7)
        return document

    def test_while_it_reads_stdin(self):
        log = oracle.Fleet().write(self.kw.folder)["log"]
        for beginning, arguments in (
                (b"{", ("manifest", "make", "--from", "-")),
                (b"[", ("manifest", "verify", "/dev/stdin", "--ca", log)),
                (b"0", ("chip", "trace", "-")),
                (b"x", ("chip", "sha", "-")),
                (b"c", ("chip", "run", "-"))):
            with self.subTest(arguments=arguments):
                document = self.waits(beginning, *arguments)
                self.assertRegex(document["message"], "interrupted")

    def test_while_another_has_the_lock(self):
        for name, arguments in (("chips/lock", ("chip", "info")),
                                ("run/workspace.lock",
                                 ("resources", "make"))):
            with self.subTest(lock=name):
                self.hold(self.kw.at(name))
                process = self.kw.start(*arguments)
                wait_for("SIGINT is caught", lambda: catches(process))
                time.sleep(0.3)
                wait_for("the command waits", lambda: sleeps(process))
                start = time.monotonic()
                err = self.interrupt(process)[1]
                self.assertIn("interrupted", err)
                self.assertLess(time.monotonic() - start, 3)

    def hold(self, path):
        """Locks every byte of a file, as another process would."""
        file = open(path, "a+b")
        self.addCleanup(file.close)
        # struct flock of 64-bit Linux: type, whence, start, length, pid.
        fcntl.fcntl(file, F_OFD_SETLK, struct.pack(
            "hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))

    def test_at_a_question(self):
        before = self.kw.files()
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        self.addCleanup(os.close, follower)
        process = self.kw.start("chip", "lock", "slot", "8", stdin=follower)
        asked = b""
        while b"[y/N]" not in asked:
            part = os.read(process.stderr.fileno(), 4096)
            self.assertTrue(part, asked)
            asked += part
        time.sleep(0.1)
        wait_for("the command waits", lambda: sleeps(process))
        err = self.interrupt(process)[1]
        self.assertRegex(err, "interrupted before the answer; nothing was")
        after = self.kw.files()
        self.assertEqual(after[self.kw.at("chips", "trustflex.chip")],
                         before[self.kw.at("chips", "trustflex.chip")])


if __name__ == "__main__":
    kw.main()
