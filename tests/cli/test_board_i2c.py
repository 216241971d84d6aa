"""keywright board serve --i2c: a bus, as messages on a socket."""

import struct

import i2c_client
import kw
import wire_case
import wire_frames as frames
from i2c_client import COMMAND, IDLE, RESET, SLEEP, Nak

FLEX, GO, BLANK = 0x36, 0x35, 0x60
INFO_ANSWER = bytes.fromhex("070000600383bb")


class I2c(wire_case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.wire("--i2c", "bus")
        self.bus = self.opened(i2c_client.Bus(self.path))

    def is_deaf(self, address=FLEX):
        with self.assertRaises(Nak):
            self.bus.write(address, RESET)
        with self.assertRaises(Nak):
            self.bus.read(address, 1)

    def test_every_byte(self):
        for request, answer in (
                ("00360100" "00", "01"),                    # asleep
                ("00000100" "00", "01"),                    # wake
                ("01360400", "0004113343"),
                ("00360800" "030730000000035d", "00"),
                ("00360100" "00", "00"),
                ("01360100", "0007"),
                ("01360600", "0000" "00600383bb"),
                ("00360100" "02", "00"),                    # idle
                ("01360100", "01")):
            self.assertEqual(
                self.bus.message(bytes.fromhex(request)).hex(), answer)

    def test_each_chip(self):
        for name, address in (("trustflex", FLEX), ("trustgo", GO),
                              ("blank", BLANK)):
            serial = frames.data_of(self.bus.run(address, frames.read(0, 0)))
            info = self.kw.json("chip", "info", "--chip", f"sim:{name}")
            self.assertTrue(info["serial"].startswith(serial.hex()))
        for address in set(range(1, 128)) - {FLEX, GO, BLANK}:
            with self.assertRaises(Nak):
                self.bus.write(address, RESET)

    def test_deaf_unless_awake(self):
        self.is_deaf()
        self.bus.wake()
        self.bus.write(FLEX, b"")
        self.bus.write(FLEX, IDLE)
        self.is_deaf()
        self.bus.wake()
        self.bus.write(FLEX, SLEEP)
        self.is_deaf()

    def test_idle_keeps_and_sleep_forgets(self):
        value = frames.nonce_to_temp_key(bytes(32))
        state = frames.packet(0x30, 0x02)
        # A host may send the word address twice.
        for end, valid in ((IDLE * 2, 0x80), (SLEEP, 0)):
            self.bus.wake()
            self.bus.write(FLEX, COMMAND + value)
            self.assertEqual(self.bus.answer(FLEX), frames.OK)
            self.bus.write(FLEX, end)
            answer = frames.data_of(self.bus.run(FLEX, state))
            self.assertEqual(answer[1] & 0x80, valid)

    def test_wake_while_awake_is_ignored(self):
        self.bus.wake()
        self.bus.write(FLEX, COMMAND + frames.INFO)
        self.bus.wake()
        self.assertEqual(self.bus.answer(FLEX), INFO_ANSWER)

    def test_read_pointer(self):
        self.bus.wake()
        self.bus.write(FLEX, COMMAND + frames.INFO)
        self.assertEqual(self.bus.read(FLEX, 3) + self.bus.read(FLEX, 4),
                         INFO_ANSWER)
        self.assertEqual(self.bus.read(FLEX, 5), b"\xff" * 5)
        self.bus.write(FLEX, RESET)
        self.assertEqual(self.bus.read(FLEX, 9), INFO_ANSWER + b"\xff\xff")
        self.bus.write(FLEX, RESET + b"junk")
        self.assertEqual(self.bus.read(FLEX, 7), INFO_ANSWER)

    def test_packet_in_pieces(self):
        self.bus.wake()
        for byte in frames.INFO[:-1]:
            self.bus.write(FLEX, COMMAND + bytes([byte]))
            with self.assertRaises(Nak):
                self.bus.read(FLEX, 1)
        self.bus.write(FLEX, COMMAND + frames.INFO[-1:])
        self.assertEqual(self.bus.answer(FLEX), INFO_ANSWER)
        # Bytes beyond the count are ignored; a reset drops what is not
        # whole.
        self.bus.write(FLEX, COMMAND + frames.INFO + b"\x07\x30")
        self.assertEqual(self.bus.answer(FLEX), INFO_ANSWER)
        self.bus.write(FLEX, COMMAND + frames.INFO[:4])
        self.bus.write(FLEX, RESET)
        self.bus.write(FLEX, COMMAND + frames.INFO)
        self.assertEqual(self.bus.answer(FLEX), INFO_ANSWER)

    def test_a_stop_starts_the_command(self):
        self.bus.wake()
        self.bus.write(FLEX, COMMAND + frames.INFO, stop=False)
        with self.assertRaises(Nak):
            self.bus.read(FLEX, 1)
        self.assertEqual(self.bus.answer(FLEX), INFO_ANSWER)

    def test_word_addresses(self):
        self.bus.wake()
        for word in range(4, 256):
            with self.assertRaises(Nak):
                self.bus.write(FLEX, bytes([word]) + frames.INFO)
        self.assertEqual(self.bus.answer(FLEX), frames.AWOKE)

    def test_short_and_damaged(self):
        self.bus.wake()
        for packet in (b"\x00", b"\x01", b"\x06" + bytes(5), b"\xff" * 255,
                       b"\xff" * 900, frames.INFO[:-1] + b"\x00"):
            self.bus.write(FLEX, COMMAND + packet)
            self.assertEqual(self.bus.answer(FLEX).hex(), "04ff0142")

    def test_longest_request(self):
        frame = self.bus.run(FLEX, frames.LONGEST)
        self.assertEqual(len(frame), 4)
        self.assertNotEqual(frame.hex(), "04ff0142")

    def test_no_message(self):
        for message in (b"\x00", b"\x00\x36\x01", b"\x04\x36\x01\x00\x00",
                        b"\x00\x80\x01\x00\x00", b"\x00\x36\x02\x00\x00",
                        b"\x00\x36\x00\x00\x00", b"\x01\x36\x01\x00\x00",
                        struct.pack("<BBH", 1, 0x36, 1025)):
            with self.subTest(message=message):
                self.assertEqual(self.bus.message(message), b"\x02")

    def test_address_takes_effect_after_sleep(self):
        """Byte 16 of a blank chip, written over this wire."""
        self.bus.wake()
        word = bytes.fromhex("92000000")
        self.bus.write(BLANK, COMMAND + frames.packet(0x12, 0, 4, word))
        self.assertEqual(self.bus.answer(BLANK), frames.OK)
        self.bus.write(BLANK, IDLE)
        self.bus.wake()
        self.bus.write(BLANK, SLEEP)
        self.bus.wake()
        self.is_deaf(BLANK)
        self.assertEqual(self.bus.answer(0x49), frames.AWOKE)

    def test_private_and_tidy(self):
        self.is_private_socket(self.path)
        self.end_board()
        self.assertFalse(self.path.exists())


class Bus(wire_case.Case):
    """Switches, collisions, time."""

    def move_blank(self):
        """Gives the blank chip the address of the TrustFLEX one."""
        bus = i2c_client.Bus(self.path)
        bus.wake()
        word = bytes.fromhex("6c000000")
        bus.write(BLANK, COMMAND + frames.packet(0x12, 0, 4, word))
        bus.write(BLANK, SLEEP)
        return self.opened(bus)

    def test_switch(self):
        self.path = self.wire("--i2c", "bus", "--switch", "trustflex,blank")
        bus = self.opened(i2c_client.Bus(self.path))
        bus.wake()
        self.assertEqual(bus.answer(GO), frames.AWOKE)
        for address in (FLEX, BLANK):
            with self.assertRaises(Nak):
                bus.write(address, RESET)
        # Its own socket stays.
        self.kw.run("chip", "info")

    def test_switch_of_nobody(self):
        self.fails(4, "nobody", "board", "serve", "--switch", "nobody")
        self.fails(4, "trust", "board", "serve", "--switch", "blank,trust")

    def test_collision(self):
        self.path = self.wire("--i2c", "bus")
        bus = self.move_blank()
        serials = []
        for name in ("trustflex", "blank"):
            info = self.kw.json("chip", "info", "--chip", f"sim:{name}")
            serials.append(bytes.fromhex(info["serial"]))
        bus.wake()
        bus.write(FLEX, COMMAND + frames.read(0, 0))
        mixed = bus.read(FLEX, 7)
        wanted = [b"\x07" + serial[:4] for serial in serials]
        wanted = [frame + frames.crc(frame) for frame in wanted]
        self.assertEqual(mixed, bytes(a & b for a, b in zip(*wanted)))
        self.board.terminate()
        _, err = self.board.communicate(timeout=60)
        self.assertRegex(
            err.decode(), "trustflex and blank are both at address 6C")
        self.assertEqual(err.decode().count("at address"), 1)

    def test_a_switch_ends_a_collision(self):
        self.path = self.wire("--i2c", "bus")
        self.move_blank()
        self.end_board()
        self.path = self.wire("--i2c", "bus", "--switch", "blank")
        bus = self.opened(i2c_client.Bus(self.path))
        self.is_serial(bus.run(FLEX, frames.read(0, 0)))

    def polls_while_busy(self, bus, packet):
        bus.write(FLEX, COMMAND + packet)
        polls = 0
        while True:
            try:
                return polls, bus.answer(FLEX)
            except Nak:
                polls += 1

    def is_busy_after_wake(self, bus):
        """A machine that is busy itself may look too late, after 1.5 ms."""
        polls = 0
        bus.wake()
        while True:
            try:
                bus.write(FLEX, SLEEP if polls == 0 else RESET)
                return polls > 0
            except Nak:
                polls += 1

    def test_busy(self):
        self.path = self.wire("--i2c", "bus", "--timing", "limits",
                              "--kit-pty", "kit")
        bus = self.opened(i2c_client.Bus(self.path))
        self.assertTrue(any(self.is_busy_after_wake(bus) for _ in range(50)))
        polls, answer = self.polls_while_busy(
            bus, frames.packet(0x40, 0x00, 0))
        self.assertGreater(polls, 10)
        self.assertEqual(len(answer), 67)
        # Over the kit protocol the line comes when the chip is done.
        self.kw.run("chip", "info", "--chip", "kit:kit")

    def test_not_busy_by_default(self):
        self.path = self.wire("--i2c", "bus", "--timing", "none")
        bus = self.opened(i2c_client.Bus(self.path))
        bus.wake()
        self.assertEqual(
            self.polls_while_busy(bus, frames.packet(0x40, 0x00, 0))[0], 0)

    def test_timing_usage(self):
        self.fails(2, "timing", "board", "serve", "--timing", "slow")


if __name__ == "__main__":
    kw.main()
