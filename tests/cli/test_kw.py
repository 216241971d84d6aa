"""The harness itself: a check that cannot fail is no check."""

import base64
import unittest

import kw

SECRET = bytes(range(7, 39))


class Shows(unittest.TestCase):
    def test_each_form_is_found(self):
        for text in (
                b"x" + SECRET + b"y",
                SECRET.hex().encode(),
                SECRET.hex(" ").upper().encode(),
                ", ".join(f"0x{byte:02X}" for byte in SECRET).encode(),
                base64.b64encode(SECRET),
                base64.b64encode(b"a" + SECRET + b"b"),
                base64.b64encode(b"ab" + SECRET),
                base64.urlsafe_b64encode(b"ab" + SECRET),
                b"0123 " + SECRET[:16].hex().encode(),
                b"0123 " + SECRET[16:].hex().encode()):
            with self.subTest(text=text):
                self.assertTrue(kw.shows(text, SECRET))

    def test_other_bytes_are_not(self):
        self.assertFalse(kw.shows(bytes(range(40, 100)), SECRET))
        self.assertFalse(kw.shows(b"serial 0123 slot 14", SECRET))
        self.assertFalse(kw.shows(SECRET[::-1].hex().encode(), SECRET))


class Validate(unittest.TestCase):
    ERROR = {"schema": "keywright/error/1", "exit": 5, "status": "0x500f",
             "message": "m"}

    def test_a_good_document(self):
        kw.validate(self.ERROR)
        kw.validate({**self.ERROR, "hint": "h"})

    def test_bad_documents(self):
        for change in ({"exit": 0}, {"status": "500f"}, {"more": 1},
                       {"message": 3}, {"schema": "keywright/error/2"}):
            with self.subTest(change=change), \
                    self.assertRaises(Exception):
                kw.validate({**self.ERROR, **change})

    def test_a_member_twice(self):
        with self.assertRaises(AssertionError):
            kw.once([("a", 1), ("a", 2)])


if __name__ == "__main__":
    kw.main()
