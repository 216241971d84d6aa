"""keywright primitives page: one file that needs nothing beside it. What the
page does in a browser: tests/web."""

import base64
import hashlib
import html.parser
import json
import re
import unittest

import kw


class Parts(html.parser.HTMLParser):
    """The elements of a page, and the texts of scripts and styles."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.texts = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag in ("script", "style"):
            self.texts.append([tag, dict(attributes), ""])

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] in ("script", "style"):
            self.texts[-1][2] += data

    def handle_endtag(self, tag):
        self.elements.append(("/" + tag, {}))

    def all(self, tag):
        return [attributes for name, attributes in self.elements
                if name == tag]


class Page(kw.Case):
    def setUp(self):
        super().setUp()
        self.path = self.kw.folder / "page.html"
        result = self.kw.run("primitives", "page", "-o", self.path,
                             code=None)
        if result.code == 1:
            self.assertIn("clang or wasm-ld", result.err)
            self.assertFalse(self.path.exists())
            self.skipTest("built without clang or wasm-ld")
        self.text = self.path.read_text(encoding="utf-8")
        self.parts = Parts(self.text)

    def part(self, tag, kind=None):
        (text,) = [text for name, attributes, text in self.parts.texts
                   if name == tag and attributes.get("type") == kind]
        return text

    def data(self):
        return json.loads(self.part("script", "application/json"))

    def test_document(self):
        path = self.kw.folder / "document.html"
        document = self.kw.json("primitives", "page", "-o", path,
                                schema="primitives-page")
        self.assertEqual(document["file"], str(path))
        self.assertEqual(document["bytes"], path.stat().st_size)

    def test_the_same_each_time(self):
        path = self.kw.folder / "again.html"
        self.kw.run("primitives", "page", "-o", path)
        self.assertEqual(path.read_text(encoding="utf-8"), self.text)

    def test_a_file_that_is_there_stays(self):
        self.path.write_text("mine")
        result = self.kw.run("primitives", "page", "-o", self.path, code=1)
        self.assertIn("is there already", result.err)
        self.assertEqual(result.out, "")
        self.assertEqual(self.path.read_text(), "mine")

    def test_an_output_is_required(self):
        result = self.kw.run("primitives", "page", code=2)
        self.assertIn("--output", result.err)

    def test_nothing_is_loaded(self):
        for _, attributes in self.parts.elements:
            for name in ("src", "srcset", "href", "action", "data", "poster"):
                self.assertRegex(attributes.get(name) or "data:",
                                 r"\A(data:|#)")
        self.assertNotRegex(self.part("style"), r"url\(|@import")
        self.assertEqual([attributes for attributes in
                          self.parts.all("script") if "type" in attributes],
                         [{"type": "application/json", "id": "data"}])

    def test_no_text_becomes_html_or_code(self):
        self.assertNotRegex(
            self.part("script"),
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|"
            r"\beval\b|new Function|\bfetch\(|XMLHttpRequest|WebSocket|"
            r"sendBeacon|\bimport\b|setTimeout\(\s*[\"'`]")

    def test_policy_names_the_hashes(self):
        (policy,) = [attributes["content"] for attributes in
                     self.parts.all("meta") if "http-equiv" in attributes]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe-inline", policy)
        for tag in ("script", "style"):
            digest = hashlib.sha256(self.part(tag).encode()).digest()
            self.assertIn(f"{tag}-src 'sha256-"
                          f"{base64.b64encode(digest).decode()}'", policy)

    def test_the_engine_and_the_words(self):
        data = self.data()
        engine = base64.b64decode(data["engine"], validate=True)
        self.assertEqual(engine[:8], b"\0asm\1\0\0\0")
        self.assertIn(b"kw_engine_call_evaluate", engine)
        words = base64.b64decode(data["words"], validate=True)
        self.assertEqual(words[:4], b"KWPE")
        self.assertEqual(int.from_bytes(words[8:12], "little"),
                         len(words) // 4)
        listed = self.kw.json("primitives", "list",
                              schema="primitives-list")["list"]
        self.assertEqual([entry["id"] for entry in data["primitives"]],
                         [entry["id"] for entry in listed])

    def test_own_data_cannot_end_the_script(self):
        part = self.kw.folder / "part.json"
        name = "</script><script>alert(1)</script><!--"
        part.write_text(json.dumps({
            "schema": "keywright/data-platform/1", "id": "own", "name": name,
            "vendor": name, "type": "software", "sources": ["none"],
            "cost": {"cents": 1, "basis": name}, "features": [
                {"primitive": "secure-storage", "feature": name,
                 "algorithms": [], "usage": "general", "support": "full",
                 "layer": "user", "confidence": "low"}]}))
        path = self.kw.folder / "own.html"
        self.kw.run("primitives", "page", "-o", path, "--data", part)
        text = path.read_text(encoding="utf-8")
        self.assertEqual(len(re.findall(r"<script", text)), 2)
        self.parts = Parts(text)
        self.assertIn(name, [part.get("name") for part in
                             self.data()["parts"]])


if __name__ == "__main__":
    unittest.main()
