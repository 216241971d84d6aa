"""keywright board serve: emulated chips on sockets."""

import fcntl
import json
import os
import resource
import signal
import socket
import stat
import time

import kw

WAKE = bytes.fromhex("04113343")
INFO_REVISION = bytes.fromhex("030730000000035d")


def answer(connection, request, size):
    connection.sendall(request)
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            break
        data += part
    return data


class Board(kw.Case):
    def setUp(self):
        super().setUp()
        self.serial = self.init()

    def serve(self, *options):
        """Starts a board; returns the process and its listeners."""
        process = self.kw.start("board", "serve", "--json", *options)
        self.addCleanup(self.end, process)
        text = b""
        while True:
            line = process.stdout.readline()
            if not line:
                raise AssertionError(process.stderr.read().decode())
            text += line
            try:
                document = json.loads(text)
            except ValueError:
                continue
            break
        kw.validate(document)
        return process, {listener["address"]: listener["chip"]
                         for listener in document["listeners"]}

    def end(self, process, number=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(number)
        process.communicate(timeout=60)
        return process.returncode

    def connect(self, name="trustflex"):
        connection = socket.socket(socket.AF_UNIX)
        self.addCleanup(connection.close)
        connection.settimeout(30)
        connection.connect(str(self.kw.at("run", name + ".sock")))
        return connection

    def test_listeners(self):
        _, listeners = self.serve("--tcp", "0")
        self.assertEqual(
            sorted(listeners.values()),
            ["blank", "trustflex", "trustflex", "trustgo"])
        for name in ("trustflex", "trustgo", "blank"):
            path = self.kw.at("run", name + ".sock")
            self.assertTrue(stat.S_ISSOCK(path.stat().st_mode))
            self.assertEqual(kw.mode(path), 0o600)
            self.assertEqual(kw.mode(path.parent), 0o700)

    def test_each_way_to_the_chip(self):
        _, listeners = self.serve("--tcp", "0")
        wanted = self.kw.json("chip", "info")
        self.assertEqual(wanted["serial"], self.serial)
        for address, chip in listeners.items():
            if chip == "trustflex":
                info = self.kw.json("chip", "info", "--chip", address)
                self.assertEqual({**info, "link": ""}, {**wanted, "link": ""})

    def test_tcp_chip(self):
        """--chip names the one that is on TCP."""
        _, listeners = self.serve("--tcp", "0", "--chip", "sim:trustgo")
        tcp = [address for address in listeners if address[:4] == "tcp:"]
        self.assertEqual([listeners[address] for address in tcp],
                         ["trustgo"])
        info = self.kw.json("chip", "info", "--chip", tcp[0])
        self.assertEqual(info["part"], "trustgo")

    def test_not_on_other_interfaces(self):
        _, listeners = self.serve("--tcp", "0")
        tcp = [address for address in listeners if address[:4] == "tcp:"]
        self.assertRegex(tcp[0], r"^tcp:127\.0\.0\.1:\d+$")

    def test_main_job_through_the_board(self):
        process, _ = self.serve()
        self.kw.run("resources", "make")
        self.kw.run("rotate", "run")
        self.kw.run("rotate", "verify")
        self.assertEqual(self.end(process), 0)
        # What the board wrote is in the image.
        self.kw.run("rotate", "verify")

    def test_ends_and_tidies(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            process, _ = self.serve()
            self.assertEqual(self.end(process, number), 0)
            self.assertEqual(list(self.kw.at("run").glob("*.sock")), [])
            self.kw.run("chip", "info")

    def test_ends_with_a_client_connected(self):
        process, _ = self.serve()
        self.connect()
        time.sleep(0.2)
        self.assertEqual(self.end(process), 0)

    def test_after_a_kill(self):
        """A socket that a killed board left behind hinders nobody."""
        process, _ = self.serve()
        self.end(process, signal.SIGKILL)
        self.kw.run("chip", "info")
        process, _ = self.serve()
        self.kw.run("chip", "info")

    def test_two_boards(self):
        first, _ = self.serve()
        document = self.fails(4, str(first.pid), "board", "serve")
        self.assertIn("board", document["message"] + document.get("hint", ""))
        self.kw.run("chip", "info")

    def test_sequences_do_not_mix(self):
        """Eight commands at a time on one chip; each has the lock from its
        wake to its idle."""
        self.serve()
        self.kw.run("resources", "make")
        self.kw.run("rotate", "run")
        self.eight_at_a_time("sim:trustflex")

    def eight_at_a_time(self, link):
        for _ in range(2):
            running = [self.kw.start("rotate", "verify", "--chip", link)
                       for _ in range(8)]
            for process in running:
                _, err = process.communicate(timeout=kw.TIMEOUT)
                self.assertEqual(process.returncode, 0, err.decode())

    def test_sequences_on_a_port_do_not_mix(self):
        """The same on a port, which each command has for itself."""
        _, listeners = self.serve("--tcp", "0")
        link = next(at for at in listeners if at.startswith("tcp:"))
        self.kw.run("resources", "make", "--chip", link)
        self.kw.run("rotate", "run", "--chip", link)
        self.eight_at_a_time(link)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as turn:
            host, port = link.split(":")[1:]
            turn.bind(f"\0keywright tcp {host} {port}")
            self.fails(4, "another process", "chip", "info", "--chip", link)
        self.kw.run("chip", "info", "--chip", link)

    def test_a_sequence_that_does_not_end(self):
        process, _ = self.serve()
        lock = self.kw.at("run", "trustflex.sock.lock")
        self.assertEqual(kw.mode(lock), 0o600)
        with open(lock, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self.fails(4, "another process", "chip", "info")
        self.kw.run("chip", "info")
        self.end(process)
        self.assertFalse(lock.exists())

    def test_no_core_file(self):
        """Chips hold private keys: a board that dies leaves no memory,
        even where whoever starts it allows core files."""
        before = resource.getrlimit(resource.RLIMIT_CORE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_CORE, before)
        resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
        process, _ = self.serve()
        with open(f"/proc/{process.pid}/limits", encoding="ascii") as file:
            core = next(line for line in file if "core file" in line)
        self.assertEqual(core.split()[4], "0")
        process.send_signal(signal.SIGQUIT)
        _, status = os.waitpid(process.pid, 0)
        self.assertEqual(os.WTERMSIG(status), signal.SIGQUIT)
        self.assertFalse(os.WCOREDUMP(status))

    def test_bytes_on_the_wire(self):
        self.serve()
        connection = self.connect()
        self.assertEqual(answer(connection, b"\x00", 4), WAKE)
        response = answer(connection, INFO_REVISION, 7)
        self.assertEqual(response[:5].hex(), "0700006003")
        # Rewind: the last response again.
        self.assertEqual(answer(connection, b"\x00", 7), response)
        # A count below 7 is the chip's own business.
        self.assertEqual(answer(connection, b"\x03\x02\x00", 4).hex(),
                         "04ff0142")
        # After a sleep the chip answers no packet, and then wakes again.
        # What comes before the 00 is all that was answered.
        self.assertEqual(answer(connection, b"\x05", 1), b"\0")
        connection.sendall(b"\x01")
        self.assertEqual(answer(connection, INFO_REVISION + b"\x05", 1),
                         b"\0")
        self.assertEqual(answer(connection, b"\x00", 4), WAKE)

    def test_stays_powered_over_connections(self):
        """Idle keeps TempKey; a new connection finds it."""
        self.serve()
        first = self.connect()
        self.assertEqual(answer(first, b"\x00", 4), WAKE)
        answer(first, INFO_REVISION, 7)
        first.close()
        second = self.connect()
        self.assertEqual(answer(second, INFO_REVISION, 7)[:5].hex(),
                         "0700006003")

    def test_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            document = self.fails(4, "--tcp 0", "board", "serve", "--tcp",
                                  port)
            self.assertIn(f"another program listens on port {port}",
                          document["message"])
        self.kw.run("chip", "info")


class Text(kw.Case):
    def test_a_line_a_listener(self):
        self.init()
        process = self.kw.start("board", "serve")
        try:
            lines = [process.stdout.readline().decode() for _ in range(3)]
        finally:
            process.terminate()
            process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        for name, line in zip(("trustflex", "trustgo", "blank"), lines):
            self.assertIn(name + ".sock", line)


if __name__ == "__main__":
    kw.main()
