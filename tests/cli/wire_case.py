"""A test with a board that serves further wires."""

import os
import stat

import board_case
import kw
import wire_frames as frames

TRUSTFLEX, TRUSTGO, BLANK = 0x6C, 0x6A, 0xC0


class Case(board_case.Case):
    def wire(self, option, name, *options):
        """Starts a board with one more wire; answers the wire's path. The
        path may be long: the client is in this process."""
        self.board = self.serve(option, name, *options)
        return self.kw.folder / name

    def opened(self, client):
        self.addCleanup(client.close)
        return client

    def is_private_terminal(self, path):
        self.assertTrue(path.is_symlink())
        about = os.stat(path)
        self.assertTrue(stat.S_ISCHR(about.st_mode))
        self.assertEqual(kw.mode(path), 0o600)

    def is_private_socket(self, path):
        self.assertTrue(stat.S_ISSOCK(path.lstat().st_mode))
        self.assertEqual(kw.mode(path), 0o600)

    def is_serial(self, frame):
        """The first four bytes of the default chip's serial number."""
        self.assertEqual(frames.data_of(frame).hex(), self.serial[:8].lower())

    def end_board(self):
        self.assertEqual(self.end(self.board), 0)
