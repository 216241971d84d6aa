"""keywright board serve --swi-pty, and the link swi: to it."""

import os
import pty
import threading
import time
import tty

import kw
import swi_client
import wire_case
import wire_frames as frames

INFO_ANSWER = bytes.fromhex("070000600383bb")
SILENCE = 0.3  # seconds


class Swi(wire_case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.wire("--swi-pty", "swi")
        self.swi = self.opened(swi_client.Swi(self.path))

    def test_every_bit(self):
        self.swi.send_raw(b"\x00")
        self.swi.send_raw(bytes.fromhex("7d7d7d7f7d7d7d7f"))  # 88
        self.assertEqual(self.swi.raw(32).hex(),
                         "7d7d7f7d7d7d7d7d" "7f7d7d7d7f7d7d7d"
                         "7f7f7d7d7f7f7d7d" "7f7f7d7d7d7d7f7d")
        self.assertEqual(self.swi.run(frames.INFO), INFO_ANSWER)
        # The answer can be had again.
        self.assertEqual(self.swi.answer(), INFO_ANSWER)

    def test_flags(self):
        self.assertEqual(self.swi.wake(), frames.AWOKE)
        value = bytes(range(32))
        self.assertEqual(self.swi.run(frames.nonce_to_temp_key(value)),
                         frames.OK)
        for flag, valid in ((swi_client.IDLE, 0x80), (swi_client.SLEEP, 0)):
            # A control flag may have FF before it.
            self.swi.send([0xFF, flag])
            self.assertEqual(self.swi.answer(SILENCE), b"")
            self.assertEqual(self.swi.wake(), frames.AWOKE)
            state = self.swi.run(frames.packet(0x30, 0x02))
            self.assertEqual(frames.data_of(state)[1] & 0x80, valid)

    def test_token_resets_at_any_time(self):
        self.assertEqual(self.swi.wake(), frames.AWOKE)
        self.assertEqual(self.swi.run(frames.INFO), INFO_ANSWER)
        # In the middle of a packet, and of a byte; status 11 follows though
        # the chip is awake, and nothing of the packet is left.
        for cut in (1, 2, 5):
            self.swi.command(frames.INFO[:cut])
            self.swi.send_raw(b"\x7f\x7d\x7f")
            self.assertEqual(self.swi.wake(), frames.AWOKE)
            self.assertEqual(self.swi.run(frames.INFO), INFO_ANSWER)

    def test_noise(self):
        self.swi.wake()
        self.swi.send_raw(bytes(range(1, 0x7D)) + bytes(range(0x80, 0x100)))
        self.assertEqual(self.swi.run(frames.INFO), INFO_ANSWER)
        self.swi.send(range(256))
        self.swi.raw(8 * 256, SILENCE)
        self.assertEqual(self.swi.wake(), frames.AWOKE)
        self.assertEqual(self.swi.run(frames.INFO), INFO_ANSWER)

    def test_damaged_and_short(self):
        self.swi.wake()
        damaged = bytearray(frames.INFO)
        damaged[3] ^= 4
        for packet in (bytes(damaged), b"\x00", b"\x01", b"\x02\x00"):
            self.assertEqual(self.swi.run(packet).hex(), "04ff0142")

    def test_longest_request(self):
        self.swi.wake()
        frame = self.swi.run(frames.LONGEST)
        self.assertEqual(len(frame), 4)
        self.assertNotEqual(frame.hex(), "04ff0142")

    def test_private_and_tidy(self):
        self.is_private_terminal(self.path)
        self.end_board()
        self.assertFalse(self.path.is_symlink())


class SwiLink(wire_case.Case):
    def test_main_job(self):
        self.wire("--swi-pty", "swi")
        info = self.kw.json("chip", "info", "--chip", "swi:swi")
        self.assertEqual(info["serial"], self.serial)
        for command in (("resources", "make"), ("rotate", "run"),
                        ("rotate", "verify")):
            self.kw.run(*command, "--chip", "swi:swi")

    def test_the_chip_that_is_named(self):
        self.wire("--swi-pty", "swi", "--chip", "sim:trustgo")
        info = self.kw.json("chip", "info", "--chip", "swi:swi")
        self.assertEqual(info["part"], "trustgo")
        self.assertEqual(self.address("trustgo", 1)[:4], "swi:")

    def test_nobody_there(self):
        self.fails(2, "swi:", "chip", "info", "--chip", "swi:")
        document = self.fails(4, "single-wire part", "chip", "info", "--chip",
                              "swi:nobody")
        self.assertNotIn("kit", document["hint"])
        # A port that echoes nothing: the kit's.
        self.wire("--kit-pty", "kit")
        started = time.monotonic()
        self.fails(4, "wire", "chip", "info", "--chip", "swi:kit")
        self.assertLess(time.monotonic() - started, 20)

    def test_a_wire_without_a_chip(self):
        """It loops back, and nothing answers."""
        master, slave = pty.openpty()
        tty.setraw(slave)
        (self.kw.folder / "port").symlink_to(os.ttyname(slave))
        echoed = []

        def loop_back():
            try:
                while True:
                    echoed.append(os.read(master, 64))
                    os.write(master, echoed[-1])
            except OSError:
                pass  # the test is over

        player = threading.Thread(target=loop_back, daemon=True)
        player.start()
        started = time.monotonic()
        self.fails(4, "cable", "chip", "info", "--chip", "swi:port")
        self.assertLess(time.monotonic() - started, 20)
        self.assertGreater(len(echoed), 5)
        os.close(slave)


if __name__ == "__main__":
    kw.main()
