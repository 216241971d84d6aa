"""libkeywright-i2c.so: unmodified programs on the emulated board's bus, and
our own link i2c: over it."""

import os
import pathlib
import shutil
import subprocess
import sys
import textwrap
import time

import kw
import wire_case
import wire_frames as frames

BUILD = pathlib.Path(os.environ.get("KEYWRIGHT_BUILD", "."))
LIBRARY = BUILD / "libkeywright-i2c.so"
PROGRAM = BUILD / "tests" / "cli" / "i2c_program"
OPENS = ("open", "open64", "openat", "openat64", "open_2", "open64_2",
         "openat_2", "openat64_2")


class Preload(wire_case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.wire("--i2c", "bus")
        self.environment = {
            **self.kw.environment, "LD_PRELOAD": str(LIBRARY),
            "KEYWRIGHT_I2C": str(self.path)}
        serial = bytes.fromhex(self.serial)[:4]
        frame = b"\x07" + serial
        self.wanted = (frame + frames.crc(frame)).hex() + "\n"

    def run_program(self, *words, code=0, **options):
        done = subprocess.run(
            [str(word) for word in words], env=self.environment, timeout=60,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            check=False, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_each_form_of_open(self):
        for how in OPENS:
            with self.subTest(how=how):
                done = self.run_program(PROGRAM, "/dev/i2c-1", "36", how)
                self.assertEqual(done.stdout, self.wanted)

    def test_descriptors_travel(self):
        for how in ("dup", "dup2", "dup3", "fcntl", "fork"):
            with self.subTest(how=how):
                done = self.run_program(PROGRAM, "/dev/i2c-0", "36", how)
                self.assertEqual(done.stdout, self.wanted)

    def test_messages(self):
        done = self.run_program(PROGRAM, "/dev/i2c-22", "36", "messages")
        self.assertEqual(done.stdout, self.wanted)

    def test_the_rest(self):
        done = self.run_program(PROGRAM, "/dev/i2c-1", "36", "rest")
        self.assertEqual(done.stdout, "as i2c-dev\n")

    def test_nobody_at_the_address(self):
        done = self.run_program(PROGRAM, "/dev/i2c-1", "37", "open", code=1)
        self.assertIn("ENXIO", done.stdout)

    def test_other_files_are_left_alone(self):
        for path in ("/dev/i2c-", "/dev/i2c-1x", "/dev/i2c-x", "nothing"):
            done = self.run_program(PROGRAM, path, "36", "open", code=1)
            self.assertIn("open: ENOENT", done.stdout)
        file = self.kw.folder / "file"
        file.write_text("as it was\n", encoding="ascii")
        copy = self.kw.folder / "copy"
        self.run_program("cp", file, copy)
        self.assertEqual(copy.read_text(encoding="ascii"), "as it was\n")
        self.run_program("python3", "-c", f"import os; os.close(os.open("
                         f"{str(copy) + '2'!r}, os.O_CREAT | os.O_WRONLY, "
                         "0o640))")
        self.assertEqual(kw.mode(str(copy) + "2"), 0o640)

    def test_no_board(self):
        self.end_board()
        done = self.run_program(PROGRAM, "/dev/i2c-1", "36", "open", code=1)
        self.assertIn("open: ENOENT", done.stdout)

    def test_python(self):
        """The standard library's fcntl, as Python programs do I2C."""
        script = textwrap.dedent("""
            import fcntl, os, time
            bus = os.open("/dev/i2c-1", os.O_RDWR)
            fcntl.ioctl(bus, 0x0703, 0)
            try:
                os.write(bus, b"\\0")
            except OSError:
                pass
            time.sleep(0.002)
            fcntl.ioctl(bus, 0x0703, 0x36)
            os.write(bus, bytes.fromhex("03070200000000"[:-2] + "1e2d"))
            os.write(bus, b"\\0")
            count = os.read(bus, 1)
            print((count + os.read(bus, count[0] - 1)).hex())
            os.close(bus)
            """).replace('"03070200000000"[:-2]', '"030702000000"')
        done = self.run_program(sys.executable, "-c", script)
        self.assertEqual(done.stdout, self.wanted)

    def test_i2ctransfer(self):
        tool = shutil.which("i2ctransfer", path="/usr/sbin:/usr/bin")
        if tool is None:
            self.skipTest("i2c-tools is not installed")
        # A wake: nobody acknowledges.
        self.run_program(tool, "-a", "-y", "1", "w1@0x00", "0x00", code=1)
        command = [f"0x{byte:02x}" for byte in b"\x03" + frames.read(0, 0)]
        self.run_program(tool, "-y", "1", "w8@0x36", *command)
        done = self.run_program(tool, "-y", "1", "w1@0x36", "0x00", "r7")
        self.assertEqual(
            bytes(int(word, 16) for word in done.stdout.split()).hex(),
            self.wanted.strip())

    def test_it_goes(self):
        """The board is killed while a program has the bus open."""
        script = textwrap.dedent("""
            import fcntl, os, sys
            bus = os.open("/dev/i2c-1", os.O_RDWR)
            fcntl.ioctl(bus, 0x0703, 0x36)
            print("open", flush=True)
            sys.stdin.readline()
            try:
                os.read(bus, 1)
            except OSError as error:
                print(error.errno, flush=True)
            """)
        process = subprocess.Popen(
            [sys.executable, "-c", script], env=self.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "open\n")
        self.end_board()
        out, _ = process.communicate("go\n", timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertRegex(out, r"^\d+\n$")


class Link(wire_case.Case):
    """i2c: through the same library."""

    def setUp(self):
        super().setUp()
        self.kw.environment["LD_PRELOAD"] = str(LIBRARY)
        # A sanitizer wants to be first, and may be second.
        self.kw.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"

    def bus(self, *options):
        path = self.wire("--i2c", "bus", *options)
        self.kw.environment["KEYWRIGHT_I2C"] = str(path)

    def test_each_chip(self):
        self.bus()
        for at, part in (("@6C", "trustflex"), ("@0x36/7", "trustflex"),
                         ("@6A", "trustgo"), ("@0x35/7", "trustgo"),
                         ("", "blank"), ("@C0", "blank")):
            info = self.kw.json("chip", "info", "--chip",
                                "i2c:/dev/i2c-1" + at)
            self.assertEqual(info["part"], part)

    def test_both_forms_are_printed(self):
        self.bus()
        info = self.kw.json("chip", "info", "--chip", "i2c:/dev/i2c-1@6C")
        self.assertEqual((info["i2c_address"], info["i2c_address_7bit"]),
                         ("6c", "36"))
        text = self.kw.run("chip", "info", "--chip", "i2c:/dev/i2c-1@6C").out
        self.assertRegex(text, "6C .*36")

    def test_main_job(self):
        self.bus()
        link = "i2c:/dev/i2c-1@6C"
        for command in (("resources", "make"), ("rotate", "run"),
                        ("rotate", "verify")):
            self.kw.run(*command, "--chip", link)

    def test_busy_chip(self):
        self.bus("--timing", "limits")
        info = self.kw.json("chip", "info", "--chip", "i2c:/dev/i2c-1@6C")
        self.assertEqual(info["serial"], self.serial)

    def test_nobody_there(self):
        self.bus("--switch", "trustgo")
        started = time.monotonic()
        for link in ("i2c:/dev/i2c-1@B2", "i2c:/dev/i2c-1@6A"):
            self.fails(4, "wiring.*switch", "chip", "info", "--chip", link)
        self.fails(4, "i2c-dev", "chip", "info", "--chip", "i2c:/dev/nobody")
        self.assertLess(time.monotonic() - started, 20)

    def test_usage(self):
        for link in ("i2c:", "i2c:x@", "i2c:x@36/7", "i2c:x@0x36",
                     "i2c:x@6D"):
            with self.subTest(link=link):
                self.fails(2, "i2c|address", "chip", "info", "--chip", link)


if __name__ == "__main__":
    kw.main()
