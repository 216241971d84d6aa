"""What leaves keywright primitives: drawings, tables, OSCAL."""

import csv
import io
import itertools
import json
import os
import pathlib
import re
import subprocess
import xml.dom.minidom

import kw
from primitives_case import CHECK, DATA, EXAMPLES, Case, ajv


class Output(Case):
    HOSTILE = ("</text><script>alert(1)</script><img src=x onerror=a()>"
               "\"];}`'&|![x](javascript:a)\\")

    def hostile(self):
        data = json.loads((DATA / "primitives/primitives.json").read_text())
        entry = data["primitives"][0]
        entry.update(id="hostile", abbr="HO", name=self.HOSTILE,
                     mandatory=[], optional=[])
        data["primitives"] = [entry]
        return self.write("hostile.json", data)

    def hostile_project(self):
        """Every text that a user may write is hostile."""
        self.write("part.json", {
            "schema": "keywright/data-platform/1", "id": "part",
            "name": self.HOSTILE, "vendor": self.HOSTILE, "type": "mcu",
            "sources": ["test"], "features": [
                {"primitive": "crypto-operation", "feature": self.HOSTILE,
                 "algorithms": [self.HOSTILE], "usage": "general",
                 "support": "full", "layer": "user", "confidence": "high",
                 "robustness": self.HOSTILE}]})
        self.write("standard.json", {
            "schema": "keywright/data-standard/1", "id": "hostile",
            "title": self.HOSTILE, "edition": "1", "label": "test",
            "depth": "test", "confidence": "low",
            "sources": [{"what": "test", "reference": "test"}],
            "requirements": [{"id": name, "title": self.HOSTILE}
                             for name in ("=1+1", "@x", self.HOSTILE)],
            "mappings": [{"primitive": "crypto-operation",
                          "requirement": "=1+1", "layer": "user",
                          "confidence": "low", "rationale": self.HOSTILE}]})
        return self.write("project.json", {
            "use_case": {"id": "x", "title": self.HOSTILE, "selected": [
                {"primitive": "secure-storage", "text": self.HOSTILE}]},
            "standard": {"id": "hostile"}, "platforms": ["part"],
            "exclusions": [{"standard": "hostile", "requirement": "@x",
                            "argument": self.HOSTILE}],
            "guidance": [{"primitive": "secure-storage",
                          "text": self.HOSTILE}]})

    def written(self, form, path):
        return self.kw.run("primitives", "evaluate", path, "--data",
                           "part.json,standard.json", "--format", form,
                           code=1).out

    def test_graphs_are_the_same_each_time(self):
        for form in ("--svg", "--dot", "--mermaid"):
            first = self.kw.run("primitives", "graph", form).out
            self.assertEqual(first,
                             self.kw.run("primitives", "graph", form).out)
        svg = self.kw.run("primitives", "graph").out
        self.assertEqual(self.kw.json("primitives", "graph")["graph"], svg)
        tree = xml.dom.minidom.parseString(svg)
        self.assertEqual(len(tree.getElementsByTagName("g")), 26)
        self.no_box_is_crossed(tree)
        classes = [path.getAttribute("class")
                   for path in tree.getElementsByTagName("path")]
        # The mutual pair is one line.
        self.assertEqual(classes.count("mandatory"), 33)
        self.assertEqual(classes.count("optional"), 30)

    def no_box_is_crossed(self, tree):
        """Boxes are apart, and straight runs of lines pass none of them."""
        boxes = [[int(rect.getAttribute(name))
                  for name in ("x", "y", "width", "height")]
                 for group in tree.getElementsByTagName("g")
                 for rect in group.getElementsByTagName("rect")]
        for (x, y, width, height), other in itertools.combinations(boxes, 2):
            self.assertFalse(x < other[0] + other[2] and
                             other[0] < x + width and
                             y < other[1] + other[3] and
                             other[1] < y + height)
        runs = 0
        for path in tree.getElementsByTagName("path"):
            for left, at, right in re.findall(
                    r"(\d+) (\d+)H(\d+)", path.getAttribute("d")):
                runs += 1
                for x, y, width, height in boxes:
                    self.assertFalse(y < int(at) < y + height and
                                     int(left) < x + width and
                                     x < int(right))
        self.assertGreater(runs, 20)

    def test_hostile_names_in_drawings(self):
        data = self.hostile()
        svg = self.kw.run("primitives", "graph", "--data", data).out
        tree = xml.dom.minidom.parseString(svg)
        self.assertEqual(tree.getElementsByTagName("script"), [])
        self.assertIn(self.HOSTILE, [" ".join(
            text.firstChild.data for text in group.getElementsByTagName("text"))
            for group in tree.getElementsByTagName("g")])
        mermaid = self.kw.run("primitives", "graph", "--mermaid", "--data",
                              data).out
        labels = re.findall(r'^    p\d+\["(.*)"\]$', mermaid, re.M)
        self.assertEqual(len(labels), 27)
        self.assertEqual(re.sub(r"#(\d+);", lambda found: chr(int(found[1])),
                                labels[-1]), self.HOSTILE)
        for label in labels:
            self.assertNotRegex(label, r'["<>`\[\]{}|]')
        dot = self.kw.run("primitives", "graph", "--dot", "--data", data).out
        text = r'"((?:[^"\\\n]|\\.)*)"'
        for line in dot.splitlines()[2:-1]:
            self.assertRegex(
                line, rf"^    {text} (->\s{text}( \[[a-z=]+\])?|"
                rf"\[label={text}\]);$")
        (label,) = re.findall(rf'"hostile" \[label={text}\]', dot)
        self.assertEqual(re.sub(r"\\(.)", r"\1", label), self.HOSTILE)

    def test_hostile_texts_in_markdown(self):
        path = self.hostile_project()
        for form in ("markdown", "implementation", "guidance"):
            text = self.written(form, path)
            self.assertIn("alert", text)
            # Nothing that a renderer acts on: no tag, and no mark of
            # Markdown that is not escaped.
            self.assertNotRegex(text, r"[<>]")
            for line in text.splitlines():
                if "alert" in line:
                    self.assertNotRegex(line, r"(?<!\\)[`*_!\[\]]")
                if line.startswith("|") and "alert" in line:
                    columns = re.findall(r"(?<!\\)(?:\\\\)*\|", line)
                    self.assertIn(len(columns), (4, 6))

    def test_hostile_texts_in_csv(self):
        rows = list(csv.reader(io.StringIO(
            self.written("csv", self.hostile_project()), newline="")))
        self.assertEqual({len(row) for row in rows}, {9})
        items = [row[2] for row in rows]
        for name in ("'=1+1", "'@x", self.HOSTILE):
            self.assertIn(name, items)
        for column in (3, 8):  # titles and features, arguments
            self.assertIn(self.HOSTILE, [row[column] for row in rows])
        for row in rows:
            for field in row:
                self.assertNotRegex(field, r"^[=+\-@\t\r]")

    def test_hostile_texts_in_oscal(self):
        path = self.hostile_project()
        for kind in ("catalog", "component", "mapping", "results"):
            self.assertIn("alert", self.written(f"oscal-{kind}", path))

    def export(self, form, *options):
        return self.kw.run("primitives", "evaluate",
                           EXAMPLES / "camera.json", "--format", form,
                           *options, code=1).out

    def test_exports_follow_the_filter(self):
        """Every format, against the document of the same filter."""
        for options in ((), ("--source", "seed"),
                        ("--source", "derived", "--min-confidence", "high")):
            (phase,) = self.kw.json(
                "primitives", "evaluate", EXAMPLES / "camera.json", *options,
                code=1, schema="primitives-evaluate")["phase2"]["standards"]
            wanted = {row["requirement"]: row for row in phase["rows"]}
            with self.subTest(options=options):
                self.follow_text(wanted, options)
                self.follow_oscal(wanted, options)

    def follow_text(self, wanted, options):
        found = {}
        for row in csv.DictReader(io.StringIO(self.export("csv", *options))):
            if row["phase"] == "2":
                found.setdefault(row["item"], []).append(row)
        self.assertEqual(
            {name: [{"primitive": row["primitive"], "layer": row["layer"],
                     "confidence": row["confidence"]} for row in rows
                    if row["primitive"]] for name, rows in found.items()},
            {name: [{"primitive": link["primitive"], "layer": link["layer"],
                     "confidence": link["confidence"]}
                    for link in row["links"]]
             for name, row in wanted.items()})
        statuses = {name: row["status"] for name, row in wanted.items()}
        self.assertEqual({name: rows[0]["status"]
                          for name, rows in found.items()}, statuses)
        markdown = {found[1]: (found[2], found[3]) for found in re.finditer(
            r"^\| (CR [^|]*?) \| [^|]* \| (\w+) \| ([^|]*?) ?\|",
            self.export("markdown", *options), re.M)}
        self.assertEqual(markdown, {
            name: (row["status"], ", ".join(
                f"{link['primitive']} ({link['layer']}, {link['confidence']})"
                for link in row["links"])) for name, row in wanted.items()})
        listed = self.export("implementation", *options)
        for name, row in wanted.items():
            self.assertIn(f"- {name} {row['title']}: {row['status']}\n",
                          listed)

    def follow_oscal(self, wanted, options):
        token = {re.sub(r"[^A-Za-z0-9._-]", "_", f"iec-62443-4-2.{name}"):
                 row for name, row in wanted.items()}
        (mapping,) = json.loads(self.export("oscal-mapping", *options))[
            "mapping-collection"]["mappings"]
        self.assertEqual(
            sorted((entry["sources"][0]["id-ref"],
                    entry["targets"][0]["id-ref"])
                   for entry in mapping["maps"]),
            sorted((link["primitive"], name) for name, row in token.items()
                   for link in row["links"]))
        (result,) = json.loads(self.export("oscal-results", *options))[
            "assessment-results"]["results"]
        self.assertEqual(
            {entry["target"]["target-id"]: entry["target"]["status"]["state"]
             for entry in result["findings"]},
            {name: "satisfied" if row["status"] == "covered"
             else "not-satisfied" for name, row in token.items()})

    def test_output_file(self):
        self.kw.run("primitives", "evaluate", EXAMPLES / "camera.json",
                    "--format", "markdown", "-o", "report.md", code=1)
        self.assertIn("# Smart surveillance",
                      (self.kw.folder / "report.md").read_text())

    def test_text_goes_to_the_output_file(self):
        camera = EXAMPLES / "camera.json"
        text = self.kw.run("primitives", "evaluate", camera, code=1).out
        self.assertIn("Phase 3", text)
        for name, *options in (("a.txt",), ("b.txt", "--format", "text"),
                               ("c.txt", "--quiet"), ("d.txt", "--json")):
            out = self.kw.run("primitives", "evaluate", camera, "-o", name,
                              *options, code=1).out
            self.assertEqual((self.kw.folder / name).read_text(), text)
            self.assertEqual(out[:1], "{" if "--json" in options else "")

    def test_an_output_that_is_there_stays(self):
        """Of all files the project itself, which is being read."""
        path = self.write("cam.json", self.camera())
        before = path.read_bytes()
        for words in (("evaluate", path), ("evaluate", path, "--format", "csv"),
                      ("evaluate", path, "--format", "oscal-results"),
                      ("graph", "secure-updates"), ("graph", "--dot")):
            result = self.kw.run("primitives", *words, "-o", path, code=1)
            self.assertIn("cam.json is there already", result.err)
            self.assertIn("nothing is overwritten", result.err)
            self.assertEqual(result.out, "")
            self.assertEqual(path.read_bytes(), before)


class Oscal(Case):
    KINDS = {"catalog": "catalog", "component": "component",
             "mapping": "mapping", "results": "assessment-results"}

    def make(self, example, kind):
        path = EXAMPLES / f"{example}.json"
        if example == "evidence":
            path = self.evidence()
        return self.kw.run("primitives", "evaluate", path, "--format",
                           f"oscal-{kind}", code=1).out

    def test_the_same_each_time(self):
        for kind in self.KINDS:
            self.assertEqual(self.make("camera", kind),
                             self.make("camera", kind))

    def evidence(self):
        """The camera with evidence whose names need escapes."""
        entry = {"standard": "iec-62443-4-2", "requirement": "CR 1.1",
                 "date": "2028-02-29", "status": "passed"}
        return self.write("evidence.json", {**self.camera(), "evidence": [
            {**entry, "file": "a report (1)?%20.txt", "sha256": "ab" * 32},
            {**entry, "url": "https://example.com/?q=a%20b c#[1]",
             "status": "failed"},
            {**entry, "url": "https://example.com/", "status": "planned"}]})

    def test_evidence_is_observed(self):
        (result,) = json.loads(self.kw.run(
            "primitives", "evaluate", self.evidence(), "--format",
            "oscal-results", code=1).out)["assessment-results"]["results"]
        self.assertEqual(
            [(entry["description"], entry["collected"],
              entry["relevant-evidence"][0]["href"])
             for entry in result["observations"]],
            [("iec-62443-4-2 CR 1.1: passed", "2028-02-29T00:00:00Z",
              "a%20report%20%281%29%3F%2520.txt"),
             ("iec-62443-4-2 CR 1.1: failed", "2028-02-29T00:00:00Z",
              "https://example.com/?q=a%20b%20c#%5B1%5D")])
        related = [[entry["observation-uuid"] for entry
                    in finding.get("related-observations", [])]
                   for finding in result["findings"]]
        self.assertEqual(related[0], [entry["uuid"] for entry
                                      in result["observations"]])
        self.assertFalse(any(related[1:]))

    def test_against_the_schemas_of_nist(self):
        extra = os.environ.get("KEYWRIGHT_EXTRA_DATA")
        if not extra:
            self.skipTest("KEYWRIGHT_EXTRA_DATA names no folder with "
                          "primitives/oscal")
        schemas = pathlib.Path(extra) / "primitives" / "oscal"
        node = ajv()
        if node is None:
            self.skipTest("npm gave no ajv: OSCAL files are not validated")
        for example in ("camera", "sensor-sl2", "keywright-device",
                        "evidence"):
            for kind, schema in self.KINDS.items():
                path = self.write("oscal.json", self.make(example, kind))
                result = subprocess.run(
                    ["node", "-e", CHECK,
                     str(schemas / f"oscal_{schema}_schema.json"), str(path)],
                    capture_output=True, text=True, cwd=node, timeout=120)
                self.assertEqual(result.returncode, 0,
                                 (example, kind, result.stdout[:2000],
                                  result.stderr[:2000]))


if __name__ == "__main__":
    kw.main()
