"""keywright board serve --kit-pty, and the link kit: to it."""

import os
import pty
import signal
import threading
import time
import tty

import kit_client
import kw
import wire_case
import wire_frames as frames


class Kit(wire_case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.wire("--kit-pty", "kit")

    def kit(self):
        return self.opened(kit_client.Kit(self.path))

    def test_scan(self):
        kit = self.kit()
        self.assertEqual(kit.scan(), [
            ("ECC608B", "TWI", 0x6C), ("ECC608B", "TWI", 0x6A),
            ("ECC608B", "TWI", 0xC0)])
        self.assertEqual(kit.ask("board:device(00)"), "ECC608B TWI 00(6C)")
        self.assertEqual(kit.ask("board:device(07)"), "no_device TWI 00(00)")

    def test_every_byte(self):
        kit = self.kit()
        self.assertEqual(kit.ask("E:physical:interface:i2c"), "00()")
        self.assertEqual(kit.ask("E:physical:select(6C)"), "00()")
        self.assertEqual(kit.ask("E:w()"), "00(04113343)")
        self.assertEqual(kit.ask("E:t(0730000000035D)"),
                         "00(070000600383BB)")
        self.assertEqual(kit.ask("E:t(0730000000035d)"),
                         "00(070000600383BB)")
        self.assertEqual(kit.ask("E:i()"), "00()")
        self.assertEqual(kit.ask("E:s()"), "00()")

    def test_each_chip(self):
        """The one that is selected answers, and no other."""
        kit = self.kit()
        for name, address in (("trustflex", 0x6C), ("trustgo", 0x6A),
                              ("blank", 0xC0)):
            self.assertEqual(kit.select(address), "00()")
            serial = frames.data_of(kit.run(frames.read(0, 0)))
            info = self.kw.json("chip", "info", "--chip", f"sim:{name}")
            self.assertTrue(info["serial"].startswith(serial.hex()))

    def test_first_chip_without_a_selection(self):
        self.is_serial(self.kit().run(frames.read(0, 0)))

    def test_a_refusal_travels_as_a_frame(self):
        kit = self.kit()
        # Slot 0 holds a private key.
        self.assertEqual(kit.run(frames.read(2, 0)).hex(), "040f2342")
        damaged = bytearray(frames.INFO)
        damaged[-1] ^= 1
        self.assertEqual(kit.run(bytes(damaged)).hex(), "04ff0142")

    def test_longest_request(self):
        kit = self.kit()
        frame = kit.run(frames.LONGEST)
        self.assertEqual(len(frame), 4)
        self.assertNotEqual(frame.hex(), "04ff0142")

    def test_no_answer(self):
        kit = self.kit()
        self.assertEqual(kit.ask("E:physical:select(B2)"), "F4()")
        for line in ("E:w()", "E:t(0730000000035D)"):
            self.assertEqual(kit.ask(line), "F4()")
        self.assertEqual(kit.select(0x6C), "00()")
        self.assertEqual(kit.ask("E:s()"), "00()")
        self.assertEqual(kit.ask("E:t(0730000000035D)"), "F4()")

    def test_one_answer_a_line(self):
        """Whatever the line is: a host waits for ever for a missing one."""
        kit = self.kit()
        lines = [b"", b"\r", b"nonsense", b"E:t(0)", b"E:t(07", b"E:t",
                 b"E:x()", b"board:device()", b"board:device(zz)",
                 b"E:t(" + b"00" * 300 + b")", b"\xff\x00\x80",
                 b"x" * 5000, b"E:t(()" * 50]
        for line in lines:
            with self.subTest(line=line[:20]):
                kit.send(line + b"\n")
                self.assertRegex(kit.line(), r"^F4\(\)$")
        kit.send(b"board:device(00)\r\n\0\0\0board:device(01)\0\r\n")
        self.assertEqual(kit.line(), "ECC608B TWI 00(6C)")
        self.assertEqual(kit.line(), "ECC608B TWI 00(6A)")
        self.assertIsNone(kit.line(timeout=0.3))

    def test_lines_in_pieces_and_in_a_row(self):
        kit = self.kit()
        for byte in b"board:device(02)\n":
            kit.send(bytes([byte]))
        self.assertEqual(kit.line(), "ECC608B TWI 00(C0)")
        kit.send(b"E:w()\n" + 20 * b"E:t(0730000000035D)\n")
        self.assertEqual(kit.line(), "00(04113343)")
        for _ in range(20):
            self.assertEqual(kit.line(), "00(070000600383BB)")

    def test_sessions(self):
        """The port is closed and opened; idle keeps TempKey, sleep does
        not."""
        value = bytes(range(32))
        info = frames.packet(0x30, 0x02)
        for end, valid in (("E:i()", 0x80), ("E:s()", 0)):
            with kit_client.Kit(self.path) as kit:
                kit.ask("E:w()")
                self.assertEqual(
                    kit.talk(frames.nonce_to_temp_key(value)), frames.OK)
                kit.ask(end)
            with kit_client.Kit(self.path) as kit:
                state = frames.data_of(kit.run(info))
                self.assertEqual(state[1] & 0x80, valid)
                kit.ask("E:w()")
                kit.ask("E:s()")

    def test_a_host_that_goes_in_the_middle(self):
        """What nobody read, and half a line, go with the last host; what
        it asked in whole lines is done."""
        for _ in range(3):
            with kit_client.Kit(self.path) as kit:
                kit.send(b"E:w()\nE:t(0730000000035D)\nE:s()\nE:t(07300")
            time.sleep(0.2)
            with kit_client.Kit(self.path) as kit:
                self.assertEqual(kit.ask("E:t(0730000000035D)"), "F4()")
                self.assertEqual(kit.ask("E:w()"), "00(04113343)")
            time.sleep(0.2)

    def test_hosts_in_quick_succession(self):
        """No answer is lost to the end of the session before."""
        for _ in range(500):
            with kit_client.Kit(self.path) as kit:
                self.assertEqual(kit.ask("E:i()"), "00()")

    def test_another_host_keeps_its_answers(self):
        kit = self.kit()
        kit.send(b"E:w()\n")
        time.sleep(0.2)
        with kit_client.Kit(self.path):
            pass
        time.sleep(0.2)
        self.assertEqual(kit.line(), "00(04113343)")

    def test_private_and_tidy(self):
        self.is_private_terminal(self.path)
        self.end_board()
        self.assertFalse(self.path.is_symlink())

    def test_after_a_kill(self):
        self.end(self.board, signal.SIGKILL)
        self.assertTrue(self.path.is_symlink())
        self.path = self.wire("--kit-pty", "kit")
        self.assertEqual(self.kit().ask("E:w()"), "00(04113343)")


class KitLink(wire_case.Case):
    """Our own host over the board in another process."""

    def test_each_chip(self):
        self.wire("--kit-pty", "kit")
        for at, part in (("", "trustflex"), ("@6C", "trustflex"),
                         ("@6A", "trustgo"), ("@0x60/7", "blank")):
            info = self.kw.json("chip", "info", "--chip", "kit:kit" + at)
            self.assertEqual(info["part"], part)

    def test_main_job(self):
        self.wire("--kit-pty", "kit")
        for command in (("resources", "make"), ("rotate", "run"),
                        ("rotate", "verify")):
            self.kw.run(*command, "--chip", "kit:kit")
        self.end_board()
        self.kw.run("rotate", "verify")

    def test_a_chip_that_signs_on_the_same_port(self):
        """The one that is open signs; no command waits for itself."""
        self.wire("--kit-pty", "kit")
        custom = ("certs", "custom", "--org", "o", "--yes", "--chip",
                  "kit:kit@6C", "--authority")
        begin = time.monotonic()
        self.fails(4, "has its port open for kit:kit@6c", *custom,
                   "chip:kit:kit@6A#2")
        self.assertLess(time.monotonic() - begin, 4)
        self.kw.json(*custom, "chip:kit:kit@6C#2")

    def test_stale_answers_are_passed_over(self):
        path = self.wire("--kit-pty", "kit")
        with kit_client.Kit(path) as kit:
            kit.send(b"E:w()\nE:t(0730000000035D)\nhalf a li")
        time.sleep(0.2)
        self.kw.run("chip", "info", "--chip", "kit:kit", code=None)
        info = self.kw.json("chip", "info", "--chip", "kit:kit")
        self.assertEqual(info["serial"], self.serial)

    def test_usage(self):
        for link in ("kit:", "kit:x@", "kit:x@6", "kit:x@6D", "kit:x@0xF0/7",
                     "kit:x@00", "kit:x@FF"):
            with self.subTest(link=link):
                self.fails(2, "kit:|address", "chip", "info", "--chip", link)

    def test_nobody_there(self):
        self.fails(4, "cable.*switch.*factory program", "chip", "info",
                   "--chip", "kit:nobody")
        self.fails(4, "serial port", "chip", "info", "--chip",
                   "kit:/dev/null")
        self.wire("--kit-pty", "kit")
        self.fails(4, "no such chip", "chip", "info", "--chip", "kit:kit@B2")

    def test_two_commands_share_the_port(self):
        self.wire("--kit-pty", "kit")
        running = [self.kw.start("chip", "info", "--chip", "kit:kit")
                   for _ in range(4)]
        for process in running:
            out, err = process.communicate(timeout=kw.TIMEOUT)
            self.assertEqual(process.returncode, 0, err)
            self.assertIn(self.serial.upper(), out.decode())


class Time(wire_case.Case):
    def test_the_line_comes_when_the_chip_is_done(self):
        """GenKey may take 115 ms; another chip is not kept waiting."""
        kit = self.opened(kit_client.Kit(
            self.wire("--kit-pty", "kit", "--timing", "limits")))
        kit.ask("E:w()")
        started = time.monotonic()
        request = frames.packet(0x40, 0x00, 0).hex().upper()
        kit.send(f"E:t({request})\n".encode())
        other = self.connect("trustgo")
        other.wake()
        early = kit.line(timeout=0)
        if time.monotonic() - started < 0.11:
            self.assertIsNone(early)
        self.assertEqual(len(early or kit.line()), 4 + 2 * 67)
        self.assertGreater(time.monotonic() - started, 0.11)

    def test_at_once_by_default(self):
        kit = self.opened(kit_client.Kit(self.wire("--kit-pty", "kit")))
        kit.ask("E:w()")
        started = time.monotonic()
        for _ in range(20):
            kit.talk(frames.packet(0x40, 0x00, 0))
        self.assertLess(time.monotonic() - started, 20 * 0.1)


class Vanishing(kw.Case):
    """A device that falls silent, or goes, at any line."""

    def play(self, answers, hang_up):
        """A port that gives these answers, then nothing, or hangs up."""
        master, slave = pty.openpty()
        tty.setraw(slave)
        link = self.kw.folder / "port"
        if link.is_symlink():
            link.unlink()
        link.symlink_to(os.ttyname(slave))

        def play():
            for answer in answers:
                line = b""
                while not line.endswith(b"\n"):
                    line += os.read(master, 1)
                os.write(master, answer)
            if hang_up:
                os.read(master, 1)
                os.close(master)

        player = threading.Thread(target=play, daemon=True)
        player.start()
        return slave

    def test_it_goes(self):
        answers = [b"ECC608B TWI 00(6C)\n", b"00()\n", b"00(04113343)\n",
                   b"00(070000600383BB)\n"]
        self.init()
        for count in (0, 1, 2, 3):
            with self.subTest(count=count):
                slave = self.play(answers[:count], hang_up=count > 0)
                started = time.monotonic()
                self.fails(4, "check", "chip", "info", "--chip", "kit:port")
                self.assertLess(time.monotonic() - started, 20)
                os.close(slave)

    def test_garbage(self):
        self.init()
        for answer in (b"\n" * 20, b"x" * 5000 + b"\n", b"00(zz)\n" * 20):
            with self.subTest(answer=answer[:8]):
                slave = self.play([answer], hang_up=False)
                self.fails(4, "check", "chip", "info", "--chip", "kit:port")
                os.close(slave)


if __name__ == "__main__":
    kw.main()
