"""A test that rotates a key: what the chip holds, what must not change, and
a way to the chip that can be cut."""

import contextlib
import json
import socket
import threading

import board_case
import chip_client
import kw
import rotation_oracle as oracle

# The lines of a rotation, as the vendor's notebook and firmware print them.
NEW_KEY = "Generated new rotating public key pair"
AUTHORIZE = "Signing the rotating key digest with the Authority Private Key"
INVALIDATED = ("Validated public key is already in slot, invalidated the "
               "slot to update the new public key")
WRITTEN = "Rotating Public Key is written to device"
VALIDATED = ("Rotating Public Key is validated with authority signed "
             "signature")
SIGNING = "Signing with the Rotating Private Key"
VERIFIED = "Verified the Rotating Public key"


class Proxy:
    """A TCP port that leads to a board's socket, one connection at a time.

    `rule(number, command)` is asked before each command goes on; number
    counts from 0, command is (opcode, param1, param2). It answers
    None: goes on; "cut": the connection ends before the chip has it;
    "lost": the chip has it, its answer does not come back, the connection
    ends; "silent": the same, and the connection goes on; bytes: the data of
    an answer that is given instead of the chip's.
    """

    def __init__(self, path, rule):
        self.path = path
        self.rule = rule
        self.commands = []
        self.words = []
        self.is_cut = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    @property
    def link(self):
        return f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(30)

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with client, socket.socket(socket.AF_UNIX) as board:
                board.settimeout(30)
                board.connect(self.path)
                with contextlib.suppress(EOFError, ConnectionError):
                    while self.one(client, board):
                        pass

    def one(self, client, board):
        """Hands one word on. False: the connection ends here."""
        word = exactly(client, 1)
        self.words.append(word[0])
        if word[0] in (chip_client.SLEEP, chip_client.IDLE):
            board.sendall(word)
            return True
        packet = b""
        answer = None
        if word[0] == chip_client.COMMAND:
            packet = exactly(client, 1)
            packet += exactly(client, packet[0] - 1)
            command = (packet[1], packet[2],
                       int.from_bytes(packet[3:5], "little"))
            self.commands.append(command)
            answer = self.rule(len(self.commands) - 1, command)
        if answer == "cut":
            self.is_cut = True
            return False
        if isinstance(answer, bytes):
            body = bytes([len(answer) + 3]) + answer
            client.sendall(body + chip_client.crc(body))
            return True
        board.sendall(word + packet)
        frame = exactly(board, 1)  # count, or 00: in step
        frame += exactly(board, frame[0] - 1)
        if answer == "lost":
            self.is_cut = True
            return False
        if answer == "silent":
            return True
        client.sendall(frame)
        return True


def exactly(connection, size):
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


class At:
    """A rule: answers `what`, or what it answers, at that occurrence of a
    command that begins so."""

    def __init__(self, what, *command, occurrence=1):
        self.what = what
        self.command = command
        self.left = occurrence

    def __call__(self, _number, command):
        if command[:len(self.command)] == self.command:
            self.left -= 1
            if self.left == 0:
                return self.what() if callable(self.what) else self.what
        return None


class Case(board_case.Case):
    """A test with a TrustFLEX chip that `resources make` has programmed."""

    make_resources = True

    def setUp(self):
        self.others = []
        super().setUp()
        if self.make_resources:
            self.kw.run("resources", "make")

    def another(self, name):
        command = super().another(name)
        self.others.append(command)
        return command

    def tearDown(self):
        """Whatever a test did: no output, and no file that is no key file,
        shows a secret of any workspace or of the chip."""
        commands = (self.kw, *self.others)
        texts = [text.encode() for command in commands
                 for text in command.outputs]
        secrets = self.chip_secrets()
        for command in commands:
            texts += [data for path, data in command.files().items()
                      if not {"keys", "chips"} & set(path.parts)]
            secrets += command.own_secrets().values()
        forms = kw.forms_of(b"\n".join(texts))
        self.assertEqual([secret for secret in secrets
                          if kw.forms_show(forms, secret)], [])

    def chip_secrets(self):
        """What the chip keeps for itself: slots 0 to 6 and 9."""
        if not self.kw.at("chips", "trustflex.chip").exists():
            return []
        return [self.slot(slot).lstrip(b"\0\xff")
                for slot in (0, 1, 2, 3, 4, 5, 6, 9)]

    # What is there.

    def status(self):
        return self.kw.json("rotate", "status")

    def key_file(self, slot=14, generation=-1):
        return (self.kw.generations(self.serial)[generation]
                / f"slot_{slot}_ecc_key_pair.pem")

    def authority(self):
        """The authority's Key."""
        return oracle.Key.read(self.key_file(13, 0))

    def eeprom(self, name="trustflex", command=None):
        """The content of a chip's image file."""
        data = (command or self.kw).at(
            "chips", name + ".chip").read_bytes()
        stride = len(data) // 2
        copy = max((data[:stride], data[stride:]),
                   key=lambda half: int.from_bytes(half[24:32], "little"))
        return copy[64:64 + 1404]

    def config(self, command=None):
        return self.eeprom(command=command)[4:132]

    def slot(self, number, command=None):
        at = 196 + sum(chip_client.SLOT_SIZES[:number])
        return self.eeprom(command=command)[
            at:at + chip_client.SLOT_SIZES[number]]

    def journals(self, command=None):
        """The events of each journal, oldest first."""
        folder = (command or self.kw).at("journal")
        return [[json.loads(line) for line in
                 path.read_text(encoding="utf-8").splitlines()]
                for path in sorted(folder.glob("rotation-*"))]

    def outcomes(self):
        """How each journal was closed; None: it is open."""
        return [next((event["outcome"] for event in journal
                      if event["event"] == "closed"), None)
                for journal in self.journals() if journal]

    def register(self, command=None):
        path = (command or self.kw).at("bundles", "register.ndjson")
        if not path.exists():
            return []
        return [json.loads(line) for line in
                path.read_text(encoding="utf-8").splitlines()]

    # What must be so.

    def kept(self, *but, command=None):
        """The files of a workspace that a refusal must leave alone."""
        command = command or self.kw
        return {str(path): data for path, data in command.files().items()
                if path.relative_to(command.workspace).parts[0]
                not in ("run", *but)}

    @contextlib.contextmanager
    def nothing_changes(self, *but, command=None):
        """No chip, key, request, bundle, journal and line of the register
        is another one afterwards. `but` names folders that may change."""
        before = self.kept(*but, command=command)
        yield
        after = self.kept(*but, command=command)
        self.assertEqual(sorted(after), sorted(before))
        for path, data in before.items():
            self.assertEqual(after[path], data, path)

    @contextlib.contextmanager
    def chip_is_left_alone(self):
        """The chip is as before, no key file, request, bundle or line of
        the register is lost or changed, and no journal is open; the words
        of a refused run may be added."""
        before = self.kept()
        yield
        after = self.kept()
        for path, data in before.items():
            self.assertEqual(after[path][:len(data)], data, path)
            if not path.endswith(".ndjson"):
                self.assertEqual(after[path], data, path)
        self.assertNotIn(None, self.outcomes())

    def rotated(self, document, old, counter, generation=None):
        """Slot 14 holds another key than `old`, validated, that can be
        proven here; nothing is open. Returns its fingerprint."""
        status = self.status()
        self.assertEqual(status["state"], "validated")
        self.assertEqual(status["counter"], counter)
        self.assertIsNone(status["journal"])
        self.assertNotEqual(status["key"], old)
        if document is not None:
            self.assertEqual(document["serial"], self.serial)
            self.assertEqual(document["old_key"], old)
            self.assertEqual(document["new_key"], status["key"])
            self.assertEqual(document["sequence"], counter)
        verified = self.kw.json("rotate", "verify")
        self.assertTrue(verified["verified"])
        self.assertEqual(verified["fingerprint"], status["key"])
        self.assertEqual(verified["generation"], status["generation"])
        if generation is not None:
            self.assertEqual(status["generation"], generation)
        return status["key"]

    # Ways to the chip.

    def proxy(self, rule, chip="trustflex"):
        """A way through a running board."""
        proxy = Proxy(self.address(chip).removeprefix("unix:"), rule)
        self.addCleanup(proxy.close)
        return proxy

    def look(self, read, *arguments):
        """One reading of the chip on the board, which is left idle."""
        with chip_client.Chip(self.address()) as chip:
            chip.wake()
            answer = getattr(chip, read)(*arguments)
            chip.idle()
        return answer

    def interrupted_run(self, rule, *words, code=4):
        """`rotate run` through a proxy with that rule."""
        proxy = self.proxy(rule)
        try:
            return self.kw.json("rotate", *(words or ("run",)), "--chip",
                                proxy.link, code=code)
        finally:
            proxy.close()

    # Two machines.

    def write(self, name, text):
        """A file beside the workspace."""
        path = self.kw.folder / name
        if isinstance(text, bytes):
            path.write_bytes(text)
        else:
            path.write_text(text, encoding="utf-8")
        return path

    def request(self, *options):
        """A new key and its request: the document and the Request."""
        self.kw.run("rotate", "new-key")
        document = self.kw.json("rotate", "request", *options)
        return document, oracle.Request.read(self.kw.path(document["file"]))

    def oracle_bundle(self, sequence=None, authority=None, **changes):
        """A bundle by the oracle for a new request; the Bundle."""
        _, request = self.request()
        return oracle.make_bundle(
            authority or self.authority(), request,
            oracle.Key.read(self.key_file(14)),
            request.counter + 1 if sequence is None else sequence, **changes)
