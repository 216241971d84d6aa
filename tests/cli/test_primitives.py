"""keywright primitives: the camera of the white paper, the phases, closing."""

import hashlib
import itertools
import json
import pathlib
import re
import unittest.mock

import kw
from primitives_case import EXAMPLES, Case, only, vectors


class Camera(Case):
    """The three phases exactly as the white paper has them."""

    def setUp(self):
        super().setUp()
        self.vectors = vectors("camera-tls13.json")

    def test_three_phases(self):
        document = self.evaluate(self.vectors["input"], code=1)
        wanted = self.vectors["expected"]
        self.assertEqual(
            only(document["phase1"]["applicable"], "primitive", "origin",
                 "required_by"), wanted["phase1"]["applicable"])
        self.assertEqual(
            only(document["phase1"]["optional_suggestions"], "primitive",
                 "suggested_by"), wanted["phase1"]["optional_suggestions"])
        (phase,) = document["phase2"]["standards"]
        for member, value in (*wanted["phase2"]["seed_exact"].items(),
                              *wanted["phase2"]["derived"].items()):
            if member != "note":
                self.assertEqual(phase[member], value, member)
        rows = [{**row, "algorithms": only(
            row["algorithms"], "algorithm", "status", "missing",
            "present_blocks")} for row in document["phase3"]["rows"]]
        self.assertEqual(
            only(rows, "primitive", "status", "features", "algorithms"),
            wanted["phase3"]["rows"])
        self.assertEqual(document["phase3"]["missing_items"],
                         wanted["phase3"]["missing_items"])

    def test_variants(self):
        for variant in self.vectors["variants"]:
            with self.subTest(platforms=variant["platforms"]):
                phase = self.evaluate(
                    {**self.vectors["input"],
                     "platforms": variant["platforms"]})["phase3"]
                self.assertEqual({row["primitive"]: row["status"]
                                  for row in phase["rows"]},
                                 variant["status"])
                self.assertEqual({want["algorithm"]: want["status"]
                                  for row in phase["rows"]
                                  for want in row["algorithms"]},
                                 variant["algorithms"])
                self.assertEqual(phase["missing_items"],
                                 variant["missing_items"])
                self.assertEqual(phase["interoperable"],
                                 [{"protocol": "TLS-1.3", "possible":
                                   variant["tls13_interop_possible"]}])

    def test_closing(self):
        search = self.vectors["closure_search"]
        path = self.write("project.json", {
            **self.vectors["input"], "platforms": search["base"],
            "closing": {"candidates": search["candidates"]}})
        sets = self.kw.json("primitives", "close", path)["sets"]
        self.assertEqual([entry["parts"] for entry in sets],
                         search["strict_minimal_sets"])

    def test_delta(self):
        delta = self.vectors["delta_example"]
        document = self.kw.json(
            "primitives", "what-if", EXAMPLES / "camera.json", "--add",
            "secure-backup-recovery", code=1, schema="primitives-what-if")
        self.assertEqual(document["primitives"]["added"],
                         delta["phase1_added"])
        self.assertEqual(document["covered"]["added"],
                         ["iec-62443-4-2 " + name
                          for name in delta["phase2_newly_covered"]])

    def test_interoperable_reading_spares_what_others_do(self):
        project = {**self.vectors["input"], "platforms":
                   ["imx-rt1050-seed", "atecc608b-trustflex"]}
        strict = self.evaluate(project)
        loose = self.evaluate(project, "--reading", "interoperable")
        self.assertIn("RSA", strict["phase3"]["missing_items"])
        self.assertNotIn("RSA", loose["phase3"]["missing_items"])
        self.assertIn("AES-GCM", loose["phase3"]["missing_items"])


class Phases(Case):
    """Any phase whose inputs are there."""

    def test_standard_first(self):
        document = self.evaluate({"standard": {"id": "uk-cop"}})
        self.assertEqual({entry["origin"] for entry
                          in document["phase1"]["applicable"]},
                         {"standard", "implicit"})
        self.assertEqual(
            document["phase2"]["standards"][0]["count_uncovered"], 0)

    def test_platform_first(self):
        document = self.evaluate({"platforms": ["se050"]})
        self.assertEqual(len(document["phase3"]["rows"]), 26)

    def test_levels_by_group(self):
        whole = self.evaluate({"standard": {
            "id": "iec-62443-4-2", "level": 1}})
        part = self.evaluate({"standard": {
            "id": "iec-62443-4-2", "level": {"IAC": 1}}})
        rows = part["phase2"]["standards"][0]["rows"]
        self.assertTrue(rows)
        for row in rows:
            self.assertRegex(row["requirement"], r"^CR 1\.")
        self.assertLess(len(rows),
                        len(whole["phase2"]["standards"][0]["rows"]))

    def test_several_standards_and_filters(self):
        project = {**self.camera(), "standard": [
            {"id": "iec-62443-4-2", "level": 3, "component_type": "EDR"},
            {"id": "etsi-en-303-645", "level": "mandatory"}]}
        document = self.evaluate(project)
        self.assertEqual([entry["standard"] for entry
                          in document["phase2"]["standards"]],
                         ["iec-62443-4-2", "etsi-en-303-645"])
        for row in self.evaluate(project, "--source", "seed")[
                "phase2"]["standards"][0]["rows"]:
            for link in row["links"]:
                self.assertEqual(link["layer"], "seed")
        for row in self.evaluate(project, "--min-confidence", "high")[
                "phase2"]["standards"][1]["rows"]:
            for link in row["links"]:
                self.assertEqual(link["confidence"], "high")

    def test_exclusion_with_its_argument(self):
        project = {**self.camera(), "exclusions": [
            {"primitive": "secure-backup-recovery",
             "argument": "nothing to back up"}]}
        phase = self.evaluate(project)["phase2"]["standards"][0]
        self.assertEqual(phase["excluded"], ["CR 7.3", "CR 7.4"])
        (row,) = [row for row in phase["rows"]
                  if row["requirement"] == "CR 7.3"]
        self.assertEqual(row["argument"], "nothing to back up")

    def test_guidance(self):
        project = {**self.camera(), "guidance": [
            {"primitive": "secure-communication",
             "text": "only behind a gateway"}]}
        rows = self.evaluate(project)["phase3"]["rows"]
        self.assertEqual(rows[0]["status"], "guidance")
        path = self.write("project.json", project)
        text = self.kw.run("primitives", "evaluate", path, "--format",
                           "guidance", code=1).out
        guided, gaps = text.split("## Gaps of the parts")
        self.assertIn("- secure-communication: only behind a gateway", guided)
        self.assertNotIn("secure-communication", gaps)
        self.assertIn("- crypto-operation: partial\n", gaps)
        self.assertIn("- AES-GCM: missing\n", gaps)

    def test_diff_and_its_exit_code(self):
        worse = self.camera()
        worse["standard"]["level"] = 4
        path = self.write("new.json", worse)
        camera = EXAMPLES / "camera.json"
        self.kw.run("primitives", "diff", camera, camera)
        self.assertTrue(self.kw.json(
            "primitives", "diff", camera, path, code=1,
            schema="primitives-diff")["uncovered"]["added"])
        self.kw.run("primitives", "diff", path, camera)

    def test_cross(self):
        document = self.kw.json("primitives", "cross", "iec-62443-4-2:2",
                                "etsi-en-303-645")
        self.assertTrue(document["shares"])
        for entry in document["shares"]:
            for path in entry["paths"]:
                self.assertIn(path["confidence"], ("low", "medium", "high"))
        same = self.kw.json("primitives", "cross", "uk-cop", "uk-cop")
        self.assertEqual(same["adds"], [])

    def test_cross_names_the_surest_path(self):
        names = ("iec-62443-4-2:2", "etsi-en-303-645")
        text = self.kw.run("primitives", "cross", *names).out
        lines = re.sub(r"\n {26}", " ", text).splitlines()
        rank = ["low", "medium", "high"].index
        document = self.kw.json("primitives", "cross", *names)
        self.assertGreater(len(document["shares"]), 50)
        for entry in document["shares"]:
            (line,) = [line for line in lines
                       if line.split()[1] == entry["requirement"]]
            best = max(rank(path["confidence"]) for path in entry["paths"])
            shown = re.search(r"with (.*) through (\S+) \((\w+)\)", line)
            self.assertEqual(rank(shown[3]), best)
            self.assertIn({"requirement": shown[1], "primitive": shown[2],
                           "confidence": shown[3]}, entry["paths"])

    def test_cross_takes_the_filters(self):
        names = ("iec-62443-4-2:2", "etsi-en-303-645")
        for options in ((), ("--min-confidence", "high"),
                        ("--source", "seed")):
            document = self.kw.json("primitives", "cross", *names, *options)
            self.assertEqual(
                len(document["adds"]) + len(document["shares"]), 67)
            found = {path["confidence"] for entry in document["shares"]
                     for path in entry["paths"]}
            self.assertEqual(found, {
                (): {"low", "medium", "high"},
                ("--min-confidence", "high"): {"high"},
                ("--source", "seed"): set()}[options])

    def test_a_level_of_the_command_line(self):
        project = {**self.camera(), "standard": [
            {"id": "iec-62443-4-2", "level": 1, "component_type": "EDR"},
            {"id": "etsi-en-303-645", "level": "mandatory"},
            {"id": "uk-cop"}]}
        for level in ("3", "iec-62443-4-2:3"):
            counts = [len(entry["rows"]) for entry in self.evaluate(
                project, "--level", level)["phase2"]["standards"]]
            self.assertEqual(counts[0], 77)
        self.assertEqual(counts[1:], [len(entry["rows"]) for entry in
                                      self.evaluate(project)["phase2"][
                                          "standards"]][1:])

    def test_what_if_removes(self):
        document = self.kw.json(
            "primitives", "what-if", EXAMPLES / "camera.json", "--remove",
            "imx-rt1050-seed", "--add", "lpc55s69,mbedtls",
            schema="primitives-what-if")
        self.assertIn("gap secure-communication",
                      document["gaps"]["removed"])
        self.assertEqual(document["gaps"]["added"], [])


class Evidence(Case):
    def project(self, **members):
        return {**self.camera(), "evidence": [
            {"standard": "iec-62443-4-2", "requirement": "CR 1.1",
             "file": "report.txt", "date": "2026-01-02", "status": "passed",
             **members}]}

    def row(self, path, code=1):
        document = self.kw.json("primitives", "evidence", path, code=code,
                                schema="primitives-evidence")
        return document["rows"][0]

    def test_a_file_that_changed(self):
        self.write("report.txt", "passed\n")
        path = self.write("project.json", self.project(
            sha256=hashlib.sha256(b"failed\n").hexdigest()))
        self.assertEqual(self.row(path)["evidence"][0]["check"], "changed")
        self.assertFalse(self.row(path)["proved"])
        self.write("report.txt", "failed\n")
        self.assertEqual(self.row(path)["evidence"][0]["check"], "intact")
        self.assertTrue(self.row(path)["proved"])

    def test_what_proves_nothing(self):
        for members, check in (({"file": "absent.txt"}, "no file"),
                               ({"status": "planned"}, "no hash"),
                               ({"status": "failed"}, "no hash")):
            self.write("report.txt", "passed\n")
            row = self.row(self.write("project.json",
                                      self.project(**members)))
            self.assertEqual(row["evidence"][0]["check"], check)
            self.assertFalse(row["proved"])

    def test_update_writes_hashes(self):
        """Our own device: its evidence are tests, which change; a release
        pins them."""
        text = (EXAMPLES / "keywright-device.json").read_text()
        path = self.write("device.json", text.replace(
            "../tests", str(kw.ROOT / "tests")))
        count = len(json.loads(text)["evidence"])
        document = self.kw.json("primitives", "evidence", path, "--update",
                                code=1, schema="primitives-evidence")
        self.assertEqual(document["updated"], count)
        self.assertEqual(
            {entry["check"] for row in document["rows"]
             for entry in row["evidence"]}, {"intact"})
        project = json.loads(path.read_text())
        for entry in project["evidence"]:
            self.assertEqual(entry["sha256"], hashlib.sha256(
                pathlib.Path(entry["file"]).read_bytes()).hexdigest())
        before = path.read_text()
        for option in ("--update",), ():
            self.assertEqual(self.kw.json(
                "primitives", "evidence", path, *option, code=1,
                schema="primitives-evidence")["updated"], 0)
        self.assertEqual(path.read_text(), before)

    def test_an_update_that_cannot_be_written(self):
        """Nothing is said to be written: the name leaves no room for the
        temporary file beside it, which stops root as well."""
        self.write("report.txt", "passed\n")
        path = self.write("p" * 250 + ".json", self.project())
        before = path.read_text()
        result = self.kw.run("primitives", "evidence", path, "--update",
                             code=6)
        self.assertEqual(result.out, "")
        self.assertIn("cannot create", result.err)
        self.assertEqual(path.read_text(), before)

    def test_compulsory_members(self):
        """As docs/primitives.md says, with --update as without."""
        self.write("report.txt", "passed\n")
        for member in ("standard", "requirement", "file", "date", "status"):
            project = self.project()
            del project["evidence"][0][member]
            path = self.write("lacks.json", project)
            for options in ([], ["--update"]):
                error = self.kw.run("primitives", "evidence", path, *options,
                                    code=3).err
                self.assertIn("evidence[0]", error)
                self.assertIn(member, error)

    def test_diff_compares_evidence(self):
        old = self.write("old.json", self.project())
        new = self.write("new.json", self.project(status="failed"))
        self.assertEqual(self.kw.json(
            "primitives", "diff", old, new,
            schema="primitives-diff")["evidence"], {
                "added": ["iec-62443-4-2 CR 1.1 failed report.txt "],
                "removed": ["iec-62443-4-2 CR 1.1 passed report.txt "]})

    def test_wrong_forms(self):
        for members, field in (({"sha256": "ab"}, "sha256"),
                               ({"date": "yesterday"}, "date"),
                               ({"date": "2026-02-29"}, "date"),
                               ({"date": "2026-00-10"}, "date"),
                               ({"url": "javascript:alert(1)"}, "url")):
            project = self.project(**members)
            if field == "url":
                del project["evidence"][0]["file"]
            path = self.write("project.json", project)
            self.fails(3, rf"project\.json:\d+: evidence\[0\]\.{field}",
                       "primitives", "evidence", path)


class Closing(Case):
    def test_what_prices_are(self):
        """Said where a price is, and only there."""
        path = self.write("camera.json", self.camera())
        words = "Prices: the estimates of the data.*no currency"
        for options in ([], ["--swap"]):
            self.assertRegex(self.kw.run("primitives", "close", path,
                                         *options).out, words)
        path = self.write("camera.json", {**self.camera(), "closing": {
            "candidates": ["samd21"]}})
        out = self.kw.run("primitives", "close", path, code=1).out
        self.assertIn("no candidate closes one of them", out)
        self.assertNotRegex(out, r"Prices|\d\.\d\d")

    def parts(self, parts):
        """Data files of parts, each with a cost and its items."""
        for name, (cents, items) in parts.items():
            self.write(f"{name}.json", {
                "schema": "keywright/data-platform/1", "id": name,
                "name": name, "vendor": "test", "type": "test",
                "sources": ["test"],
                "cost": {"cents": cents, "basis": "test"},
                "features": [{"primitive": "crypto-operation",
                              "feature": name, "algorithms": items,
                              "usage": "general", "support": "full",
                              "layer": "user", "confidence": "high"}]})
        return ",".join(f"{self.kw.folder}/{name}.json" for name in parts)

    PARTS = {"base": (0, ["X-0"]), "a": (30, ["X-1", "X-2"]),
             "b": (40, ["X-2", "X-3"]), "c": (50, ["X-1", "X-3"]),
             "d": (95, ["X-1", "X-2", "X-3"]), "e": (5, ["X-4"])}

    def close(self, closing, wants=("X-1", "X-2", "X-3"), code=0):
        data = self.parts(self.PARTS)
        project = self.write("project.json", {
            "use_case": {"id": "x", "title": "x", "selected": [
                {"primitive": "crypto-operation",
                 "algorithms": list(wants)}]},
            "platforms": ["base"], "closing": closing})
        return self.kw.json("primitives", "close", project, "--data", data,
                            code=code, schema="primitives-close")

    def test_cheapest_against_all_subsets(self):
        names = "abcde"
        wanted = {"X-1", "X-2", "X-3"}
        best = min(sum(self.PARTS[n][0] for n in subset)
                   for size in range(6)
                   for subset in itertools.combinations(names, size)
                   if wanted <= {item for n in subset
                                 for item in self.PARTS[n][1]})
        document = self.close({"candidates": list(names)})
        self.assertEqual(document["sets"][0]["cents"], best)
        self.assertEqual(document["sets"][0]["parts"], ["a", "b"])

    def test_forbidden_costs_and_impossible(self):
        document = self.close({"candidates": list("abcde"),
                               "forbidden": ["b"]})
        self.assertEqual(document["sets"][0]["parts"], ["a", "c"])
        document = self.close({"candidates": list("abcde"),
                               "costs": {"d": 10}})
        self.assertEqual(document["sets"][0]["parts"], ["d"])
        document = self.close({"candidates": ["a"]}, code=1)
        self.assertEqual(document["impossible"],
                         [{"kind": "algorithm", "id": "X-3"}])

    def test_preferred_and_alternatives(self):
        document = self.close({"candidates": list("abcde")})
        self.assertEqual([(entry["parts"], entry["cents"])
                          for entry in document["sets"]],
                         [(["a", "b"], 70), (["a", "c"], 80),
                          (["b", "c"], 90)])
        twins = {"a": (30, ["X-1"]), "b": (30, ["X-1"])}
        for preferred in "ab":
            with unittest.mock.patch.object(Closing, "PARTS", {
                    "base": (0, ["X-0"]), **twins}):
                document = self.close({"candidates": ["a", "b"],
                                       "preferred": [preferred]}, ["X-1"])
            self.assertEqual(document["sets"][0]["parts"], [preferred])

    def test_another_main_part(self):
        """The cheapest set for each other main part, itself included, is
        what closing a project with that part from the start costs."""
        document = self.kw.json("primitives", "close",
                                EXAMPLES / "camera.json", "--swap")
        self.assertEqual({swap["main"] for swap in document["swaps"]},
                         {"imx-rt1050", "lpc55s69", "samd21"})
        parts = {entry["id"]: entry for entry in map(
            json.loads, (path.read_text() for path
                         in (kw.ROOT / "data/platforms").glob("*.json")))}
        for swap in document["swaps"]:
            self.assertEqual(swap["instead_of"], "imx-rt1050-seed")
            project = {**self.camera(), "platforms": [swap["main"]]}
            alone = self.kw.json("primitives", "close", self.write(
                "project.json", project))["sets"][0]
            self.assertEqual(swap["set"]["parts"], alone["parts"])
            self.assertEqual(
                swap["set"]["cents"],
                alone["cents"] + parts[swap["main"]]["cost"]["cents"])

    def test_interoperable_closing_buys_one_of_each_kind(self):
        project = self.camera()
        project["use_case"]["implicit_details"][0]["algorithms"] = [
            "ECDHE-ECDSA", "DHE-RSA", "AES-GCM", "HKDF-SHA256"]
        data = self.parts({
            "small": (10, ["ECDSA-P256", "ECDH-P256", "HKDF-SHA256",
                           "AES-128-GCM", "TLS-1.3"]),
            "large": (90, ["RSA-2048", "FFDH"])})
        part = json.loads((self.kw.folder / "small.json").read_text())
        part["features"].append({**part["features"][0], "primitive":
                                 "secure-communication"})
        self.write("small.json", part)
        project["closing"] = {"candidates": ["small", "large"]}
        path = self.write("project.json", project)
        for reading, parts in (("strict", ["large", "small"]),
                               ("interoperable", ["small"])):
            sets = self.kw.json("primitives", "close", path, "--data", data,
                                "--reading", reading)["sets"]
            self.assertEqual(sorted(sets[0]["parts"]), parts)

    def test_adding_a_part_never_opens_a_gap(self):
        platforms = [entry["id"] for entry in self.kw.json(
            "primitives", "list", "platforms")["list"]]
        rank = {"gap": 0, "partial": 1, "covered": 2}
        base = self.evaluate(self.camera())["phase3"]
        for name in platforms:
            if name == "imx-rt1050-seed":
                continue
            more = self.evaluate({**self.camera(), "platforms": [
                "imx-rt1050-seed", name]})["phase3"]
            for old, new in zip(base["rows"], more["rows"]):
                self.assertGreaterEqual(rank[new["status"]],
                                        rank[old["status"]])
            self.assertLessEqual({*more["missing_items"]},
                                 {*base["missing_items"]})


class Examples(Case):
    def test_they_evaluate(self):
        for path in EXAMPLES.glob("*.json"):
            with self.subTest(path=path.name):
                document = self.kw.json("primitives", "evaluate", path,
                                        code=None,
                                        schema="primitives-evaluate")
                self.assertTrue(document["phase3"]["rows"])
        self.assertEqual(self.kw.json("primitives", "lint",
                                      EXAMPLES)["problems"], [])

    def test_evidence_of_our_device(self):
        document = self.kw.json(
            "primitives", "evidence", EXAMPLES / "keywright-device.json",
            code=1, schema="primitives-evidence")
        found = [entry for row in document["rows"]
                 for entry in row["evidence"]]
        self.assertTrue(found)
        for entry in found:
            self.assertNotEqual(entry["check"], "no file", entry)
        self.assertEqual(document["lacking"],
                         sum(not row["proved"] for row in document["rows"]))


if __name__ == "__main__":
    kw.main()
