"""Our host on a board's socket, and a board of the test's own behind it: when
the lock of a sequence is given back, and what comes of an answer that never
comes, or too late."""

import contextlib
import fcntl
import os
import signal
import socket
import threading
import time

import chip_client
import kw
import rotation_case

SYNC, IN_STEP = 5, b"\0"
READ, RANDOM, SHA = 0x02, 0x1B, 0x47
THINKS = 0.4        # seconds between taking an idle and obeying it
HOST_WAITS = 3
HOST_ENDS = 12      # seconds; it must end whatever the board does


def frame(data):
    body = bytes([3 + len(data)]) + data
    return body + chip_client.crc(body)


class Board(threading.Thread):
    """One connection at a time; a chip, locked as it seems, that knows Random
    and SHA. `lose` holds the numbers of these, from 0, whose answers are lost;
    `late` of those that come when the host asks whether the board is in
    step."""

    def __init__(self, path, lose=(), late=(), in_step=True, wakes=True):
        super().__init__(daemon=True)
        self.lose, self.late = lose, late
        self.in_step, self.wakes = in_step, wakes
        self.lock = f"{path}.lock"
        with open(self.lock, "wb"):
            pass
        os.chmod(self.lock, 0o600)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.opcodes = []
        self.words = []
        self.held_back = b""
        self.lock_was_free = []

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with connection, contextlib.suppress(OSError):
                    self.serve(connection)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join(HOST_ENDS)

    def serve(self, connection):
        while word := connection.recv(1):
            self.words.append(word[0])
            if word[0] == chip_client.WAKE:
                if not self.wakes:
                    continue
                connection.sendall(chip_client.AWOKE)
            elif word[0] in (chip_client.IDLE, chip_client.SLEEP):
                self.think()
            elif word[0] == SYNC:
                if self.in_step:
                    self.say_so(connection)
            else:
                self.command(connection)

    def say_so(self, connection):
        """In pieces, as they may come over a network."""
        late, self.held_back = self.held_back, b""
        connection.sendall(late[:1])
        if late:
            time.sleep(0.1)
        connection.sendall(late[1:] + IN_STEP)

    def command(self, connection):
        count = connection.recv(1)[0]
        rest = connection.recv(count - 1, socket.MSG_WAITALL)
        if rest[0] == READ:
            connection.sendall(frame(bytes(32 if rest[1] & 0x80 else 4)))
            return
        number = len(self.opcodes)
        self.opcodes.append(rest[0])
        answer = self.answer(rest[0], number)
        if number in self.late:
            self.held_back = answer
        elif number not in self.lose:
            connection.sendall(answer)

    def answer(self, opcode, number):
        if opcode == RANDOM:
            return frame(bytes([number]) * 32)
        return frame(b"\0" if opcode == SHA else b"\x03")

    def think(self):
        """The idle is taken, and not obeyed yet: is the lock given back?"""
        free = False
        with open(self.lock, "rb") as file:
            until = time.monotonic() + THINKS
            while time.monotonic() < until:
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    fcntl.flock(file, fcntl.LOCK_UN)
                    free = True
                time.sleep(0.01)
        self.lock_was_free.append(free)


class Socket(kw.Case):
    def setUp(self):
        super().setUp()
        self.init()

    def board(self, **how):
        path = self.kw.folder / "board.sock"
        board = Board(path, **how)
        board.start()
        self.addCleanup(board.close)
        self.link = f"unix:{path}"
        return board

    def random(self, code=0):
        result = self.kw.run("chip", "random", "--json", "--chip", self.link,
                             code=code)
        return result.out

    def test_the_lock_until_the_idle_is_obeyed(self):
        """Another host's sequence begins when ours has ended in the chip, not
        when the board has read that it ends."""
        board = self.board()
        self.random()
        self.assertEqual(board.lock_was_free, [False])
        self.assertEqual(board.words[-2:], [chip_client.IDLE, SYNC])

    def test_a_lost_answer_is_asked_for_again(self):
        """Where asking twice is asking once."""
        board = self.board(lose=(0,))
        start = time.monotonic()
        self.assertIn("01" * 32, self.random())
        self.assertGreater(time.monotonic() - start, HOST_WAITS - 0.5)
        self.assertEqual(board.opcodes, [RANDOM, RANDOM])
        # The chip may have slept since.
        at = board.words.index(SYNC)
        self.assertEqual(board.words[at - 1:at + 3], [
            chip_client.COMMAND, SYNC, chip_client.WAKE, chip_client.COMMAND])

    def test_lost_twice(self):
        board = self.board(lose=(0, 1))
        self.fails(4, "stopped answering", "chip", "random", "--chip",
                   self.link)
        self.assertEqual(board.opcodes, [RANDOM, RANDOM])

    def test_what_changes_something_is_not_done_twice(self):
        board = self.board(lose=(0,))
        file = self.kw.folder / "file"
        file.write_bytes(b"three")
        self.fails(4, "stopped answering", "chip", "sha", file, "--chip",
                   self.link)
        self.assertEqual(board.opcodes, [SHA])
        self.assertEqual(board.words[-2:], [chip_client.IDLE, SYNC])

    def test_a_late_answer_is_nobodys(self):
        board = self.board(late=(0,))
        self.assertIn("01" * 32, self.random())
        self.assertEqual(board.opcodes, [RANDOM, RANDOM])

    def test_a_board_that_is_silent_from_the_start(self):
        """Its wake is waited for once."""
        self.board(wakes=False, in_step=False)
        start = time.monotonic()
        self.fails(4, "stopped answering", "chip", "random", "--chip",
                   self.link)
        self.assertIn(round(time.monotonic() - start - HOST_WAITS), (0, 1, 2))

    def test_a_board_that_hangs(self):
        """Once it is out of step nothing is asked any more."""
        board = self.board(lose=(0,), in_step=False)
        start = time.monotonic()
        self.fails(4, "stopped answering", "chip", "random", "--chip",
                   self.link)
        self.assertLess(time.monotonic() - start, HOST_ENDS)
        self.assertEqual(board.opcodes, [RANDOM])


class Silent(kw.Case):
    """Ctrl-C does not wait for a host that says nothing: a wake changes
    nothing."""

    def interrupt(self, link, listener):
        process = self.kw.start("chip", "info", "--chip", link)
        listener.settimeout(HOST_ENDS)
        with listener.accept()[0] as connection:
            self.assertEqual(connection.recv(1), b"\0")
            begun = time.monotonic()
            process.send_signal(signal.SIGINT)
            err = process.communicate(timeout=kw.TIMEOUT)[1]
        self.assertEqual(process.returncode, 7, err)
        self.assertIn(b"interrupted", err)
        self.assertLess(time.monotonic() - begun, 1.5)

    def test_a_port(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.interrupt("tcp:127.0.0.1:%d" % listener.getsockname()[1],
                           listener)

    def test_a_socket(self):
        path = self.kw.folder / "board.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()
            self.interrupt(f"unix:{path}", listener)


class LostInARotation(rotation_case.Case):
    """Commands that change something are not sent twice: the chip's state
    says what became of them, in the same run."""

    BEFORE = (("invalidate", (0x45, 0x07, 14)),
              ("write 0", (0x12, 0x82, 0x0070)),
              ("write 2", (0x12, 0x82, 0x0270)))
    AFTER = (("validate", (0x45, 0x03, 14)), ("proof", (0x45, 0x20, 14)))

    def setUp(self):
        super().setUp()
        self.kw.run("rotate", "run")
        self.serve()

    def silent(self, command, code):
        return self.interrupted_run(
            rotation_case.At("silent", *command), code=code)

    def test_before_the_new_key_is_validated(self):
        """The old one comes back, whatever the chip did."""
        for name, command in self.BEFORE:
            with self.subTest(lost=name):
                before = self.status()
                document = self.silent(command, 4)
                self.assertIn("old key", document["message"] +
                              document["hint"])
                after = self.status()
                for member in ("state", "key", "counter", "journal"):
                    self.assertEqual(after[member], before[member], member)
                self.assertEqual(self.outcomes()[-1], "rolled-back")

    def test_the_chip_is_woken_anew(self):
        """It may have slept since, and must not be waited for again."""
        proxy = self.proxy(rotation_case.At("silent", *self.BEFORE[1][1]))
        self.kw.json("rotate", "run", "--chip", proxy.link, code=4)
        at = proxy.words.index(SYNC)
        self.assertEqual(proxy.words[at + 1:at + 3],
                         [chip_client.IDLE, chip_client.WAKE])

    def test_after_it(self):
        """Nothing is undone, and the run goes on."""
        for name, command in self.AFTER:
            with self.subTest(lost=name):
                before = self.status()
                document = self.silent(command, 0)
                self.rotated(document, before["key"], before["counter"] + 1)

    def test_a_count(self):
        """It is not counted twice."""
        before = self.status()
        self.silent((0x24, 0x01, 1), 4)
        document = self.kw.json("rotate", "resume")
        self.rotated(document, before["key"], before["counter"] + 1)


if __name__ == "__main__":
    kw.main()
