"""keywright board serve --bridge."""

import bridge_client
import kw
import wire_case
import wire_frames as frames
from bridge_client import IDLE, SLEEP, WAKE


class Bridge(wire_case.Case):
    def setUp(self):
        super().setUp()
        self.path = self.wire("--bridge", "bridge")
        self.bridge = self.opened(bridge_client.Bridge(self.path))

    def test_every_byte(self):
        for request, answer in (
                ("02036c", "02036c00"),
                ("02016cff0730000000035d", "02016c00"),
                ("02026c009b00", "02026c00070000600383bb"),
                ("02026c000400", "02026c0007000060"),
                ("02026c000000", "02026c00"),
                ("02046c", "02046c00"),
                ("02056c", "02056c00")):
            self.assertEqual(
                self.bridge.message(bytes.fromhex(request)).hex(), answer)

    def test_each_chip(self):
        for name, address in (("trustflex", 0x6C), ("trustgo", 0x6A),
                              ("blank", 0xC0)):
            serial = frames.data_of(self.bridge.run(address,
                                                    frames.read(0, 0)))
            info = self.kw.json("chip", "info", "--chip", f"sim:{name}")
            self.assertTrue(info["serial"].startswith(serial.hex()))
        self.is_serial(self.bridge.run(0, frames.read(0, 0)))

    def test_any_interface(self):
        for interface in range(16):
            self.assertEqual(
                self.bridge.order(WAKE, 0x6C, interface=interface), (0, b""))

    def test_idle_keeps_and_sleep_forgets(self):
        value = frames.nonce_to_temp_key(bytes(32))
        state = frames.packet(0x30, 0x02)
        for end, valid in ((IDLE, 0x80), (SLEEP, 0)):
            self.bridge.order(WAKE, 0x6C)
            self.assertEqual(self.bridge.send(0x6C, value), (0, b""))
            self.bridge.order(end, 0x6C)
            answer = frames.data_of(self.bridge.run(0x6C, state))
            self.assertEqual(answer[1] & 0x80, valid)

    def test_no_answer(self):
        self.assertEqual(self.bridge.send(0x6C, frames.INFO), (0xF4, b""))
        self.assertEqual(self.bridge.receive(0x6C), (0xF4, b""))
        self.assertEqual(self.bridge.order(WAKE, 0xB2), (0xF4, b""))

    def test_no_request(self):
        for message in ("01", "02", "0201", "03016c", "02006c", "02066c",
                        "020f6c", "02016c", "02016cff", "02016c0007",
                        "02026c", "02026c00", "02026c009b0000"):
            with self.subTest(message=message):
                request = bytes.fromhex(message)
                answer = self.bridge.message(request)
                self.assertEqual(answer[:3], request[:3].ljust(3, b"\0"))
                self.assertEqual(answer[3:], b"\xff")

    def test_two_hosts(self):
        other = self.opened(bridge_client.Bridge(self.path))
        self.bridge.order(WAKE, 0x6C)
        self.bridge.send(0x6C, frames.nonce_to_temp_key(bytes(32)))
        state = frames.data_of(other.run(0x6C, frames.packet(0x30, 0x02)))
        self.assertEqual(state[1] & 0x80, 0x80)

    def test_private_and_tidy(self):
        self.is_private_socket(self.path)
        self.end_board()
        self.assertFalse(self.path.exists())


if __name__ == "__main__":
    kw.main()
