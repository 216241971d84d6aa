"""keywright primitives and input that is wrong: file, line and field."""

import os
import unittest

import kw
from primitives_case import DATA, EXAMPLES, Case


class Wrong(Case):
    """Each answer names the file, the line and the field."""

    def refuse(self, project, *words):
        path = self.write("wrong.json", project)
        result = self.kw.run("primitives", "evaluate", path, code=3)
        self.assertEqual(result.out, "")
        self.assertRegex(result.err, r"wrong\.json:\d+: ")
        for word in words:
            self.assertIn(word, result.err)
        return result.err

    def project(self, **members):
        return {"use_case": {"id": "x", "title": "x", "selected": [
            {"primitive": "secure-storage"}]}, **members}

    def test_unknown_names(self):
        error = self.refuse({"use_case": {"id": "x", "title": "x",
                                          "selected": [
                                              {"primitive":
                                               "secure-comunication"}]}},
                            "use_case.selected[0].primitive",
                            "nearest: secure-communication")
        self.assertIn("wrong.json:7: ", error)
        self.refuse(self.project(exclusions=[
            {"standard": "iec-62443-4-2", "requirement": "CR 99",
             "argument": "x"}]), "exclusions[0]", "unknown requirement")
        self.refuse(self.project(platforms=["se05"]), "platforms[0]",
                    "nearest: se050")
        self.refuse(self.project(standard={"id": "uk-cob"}), "standard.id",
                    "nearest: uk-cop")
        self.refuse(self.project(plattforms=["se050"]),
                    "unknown member; nearest: platforms")

    def test_a_level_that_the_standard_lacks(self):
        self.refuse(self.project(standard={"id": "iec-62443-4-2",
                                           "level": 5}),
                    "standard.level", 'no level "5"', "1 to 4")
        self.refuse(self.project(standard={"id": "iec-62443-4-2"}),
                    "standard", "missing")
        self.refuse(self.project(standard={"id": "uk-cop", "level": 1}),
                    "has no levels")
        self.refuse(self.project(standard={"id": "iec-62443-4-2", "level": 1,
                                           "component_type": "XDR"}),
                    "component_type")

    def test_nothing_and_empty(self):
        self.refuse({}, "nothing to evaluate")
        self.refuse(self.project(platforms=[]), "platforms")
        self.refuse("", "wrong.json:1")
        self.refuse("[]", "object")

    def test_contradictions(self):
        self.refuse(self.project(exclusions=[
            {"primitive": "crypto-operation", "argument": "x"}]),
            "exclusions[0]", "contradicts the use case")
        twice = {"standard": "uk-cop", "requirement": "1", "argument": "x"}
        self.refuse(self.project(exclusions=[twice, twice]),
                    "exclusions[1]", "twice")
        self.refuse(self.project(exclusions=[
            {"standard": "uk-cop", "requirement": "1"}]),
            "exclusions[0].argument", "missing")

    def test_duplicate_members(self):
        self.refuse('{"use_case": {"id": "x",\n "id": "y"}}', "duplicate",
                    "wrong.json:2")

    def test_ten_megabytes(self):
        """Refused by size, before anything is read into memory."""
        self.refuse('{"use_case": "' + "x" * (10 << 20) + '"}',
                    "4194304 are the limit")
        path = self.write("large.json", "[" * (10 << 20))
        self.fails(3, "too large", "primitives", "list", "--data", path)

    def test_the_line_of_an_escaped_name(self):
        """Whatever the file wrote for it, a name is found again."""
        for name in ("plat", "pl\\u0061t", "\\u0070l\\u0061t",
                     "\u00e9\u20ac", "\\u00e9\\u20AC", "a\\ud83d\\ude00b",
                     "a\\/b", 'a\\"b', "a\\\\b", "\\u00e9" * 60,
                     "x" * 79 + "\\u00e9", "x" * 100):
            error = self.refuse(
                '{"use_case": {"id": "x", "title": "x",\n'
                '"selected": [{"primitive": "secure-storage"}]},\n\n'
                f'"{name}": [1]}}')
            self.assertRegex(error, r"wrong\.json:4: ", name)
        self.assertIn("wrong.json:3: use_case.title", self.refuse(
            '{"use\\u005fcase": {"id": "x",\n"selected": [],\n'
            '"t\\u0069tle": 1}}'))

    def test_control_characters(self):
        """Neither in an error nor in an answer: a terminal would act."""
        for bad in ("\x1b[2J", "\x7f", "\u009b31m", "\u202e", "a\nb"):
            error = self.refuse({"use_case": {
                "id": "x", "title": f"x{bad}", "selected": [
                    {"primitive": "secure-storage"}]}},
                "use_case.title", "control character")
            self.assertNotIn("\x1b", error)
            error = self.refuse({"use_case": {
                "id": "x", "title": "x", "selected": [
                    {"primitive": f"a{bad}b"}]}})
            self.assertNotRegex(error, "[\x1b\x7f\u009b\u202e]")
            path = self.write("member.json", {f"a{bad}b": 1})
            error = self.kw.run("primitives", "evaluate", path, code=3).err
            self.assertNotRegex(error, "[\x1b\x7f\u009b\u202e]")

    def test_words_of_the_command_line(self):
        """Wrong usage: the option and what it takes."""
        camera = EXAMPLES / "camera.json"
        for verb in ("evaluate", "close", "evidence"):
            for option, words in (("--min-confidence", "low, medium, high"),
                                  ("--source", "seed, derived, user"),
                                  ("--reading", "strict, interoperable"),
                                  ("--model", "text, table5")):
                self.fails(2, f"{option}.*none of {words}", "primitives",
                           verb, camera, option, "sure")
        for option in ("--min-confidence", "--source"):
            self.fails(2, f"{option}.*none of", "primitives", "cross",
                       "uk-cop", "uk-cop", option, "sure")
            self.fails(2, f"{option}.*none of", "primitives", "diff", camera,
                       camera, option, "sure")
        for level in ("5", "uk-cop:1", "iec-62443-4-2:high"):
            self.fails(2, "no standard of .* has this level", "primitives",
                       "evaluate", camera, "--level", level)
        for option in ("--add", "--remove"):
            self.fails(2, "no primitive or platform.*nearest: secure-updates",
                       "primitives", "what-if", camera, option,
                       "secure-update")
        self.fails(2, "does not select it", "primitives", "what-if", camera,
                   "--remove", "crypto-operation")
        self.fails(2, "has no such platform", "primitives", "what-if",
                   camera, "--remove", "se050")
        for form in ("pdf", "oscal-", "oscal-x", "oscal"):
            self.fails(2, "no format", "primitives", "evaluate", camera,
                       "--format", form)
        self.fails(2, "--sets", "primitives", "close", camera, "--sets", "0")

    def test_options_that_would_do_nothing(self):
        camera = EXAMPLES / "camera.json"
        for words in (["evaluate", camera], ["close", camera], ["list"],
                      ["graph"], ["cross", "uk-cop", "uk-cop"],
                      ["page", "-o", "page.html"], ["diff", camera, camera]):
            self.fails(2, "--only .*needs yours, --data", "primitives",
                       *words, "--only")
        self.kw.run("primitives", "lint", DATA / "primitives", "--only")
        for form in ("csv", "text", "oscal-results"):
            result = self.kw.run("--json", "primitives", "evaluate", camera,
                                 "--format", form, code=2)
            self.assertIn("needs --output", result.out)
        self.kw.run("--json", "primitives", "evaluate", camera, "--format",
                    "csv", "-o", "camera.csv", code=1)
        self.assertIn("phase",
                      (self.kw.folder / "camera.csv").read_text()[:80])

    def test_unknown_operands(self):
        for verb, operands, nearest in (
                ("closure", ["secure-update"], "secure-updates"),
                ("graph", ["secure-update"], "secure-updates"),
                ("show", ["secure-update"], "secure-updates"),
                ("show", ["se051"], "se050"),
                ("show", ["uk-cob"], "uk-cop"),
                ("cross", ["uk-cob", "uk-cop"], "uk-cop")):
            self.fails(2, f"nearest: {nearest}", "primitives", verb,
                       *operands)
        for verb in ("closure", "graph", "show"):
            self.fails(2, 'no primitive.*"nope"', "primitives", verb, "nope")
        self.fails(2, 'no standard "nope"', "primitives", "cross", "uk-cop",
                   "nope")
        self.fails(2, 'no level "9"; it has 1, 2, 3, 4', "primitives",
                   "cross", "iec-62443-4-2:9", "uk-cop")
        self.fails(2, "uk-cop has no levels", "primitives", "cross",
                   "iec-62443-4-2", "uk-cop:1")

    def test_requirements_are_compared_within_their_standard(self):
        self.refuse(self.project(exclusions=[
            {"standard": "iec-62443-4-2", "requirement": "CR 1.1 RE(9)",
             "argument": "x"}]), "exclusions[0].requirement",
            "nearest: CR 1.1 RE(1)")
        self.refuse(self.project(exclusions=[
            {"standard": "iec-62443", "requirement": "CR 1.1",
             "argument": "x"}]), "exclusions[0].standard",
            "nearest: iec-62443-4-2")

    def test_an_exclusion_without_a_use_case(self):
        self.refuse({"standard": {"id": "uk-cop"}, "exclusions": [
            {"primitive": "secure-storage", "argument": "x"}]},
            "exclusions[0]", "there is no use case")

    def test_duplicates_anywhere(self):
        self.refuse('{"use_case": {"id": "x", "title": "x", "selected": [\n'
                    '{"primitive": "secure-storage",\n'
                    ' "primitive": "secure-updates"}]}}',
                    "duplicate", "wrong.json:3")
        text = (DATA / "platforms/se050.json").read_text()
        path = self.write("twice.json", text.replace(
            '"id": "se050"', '"id": "a",\n "id": "b"', 1))
        self.fails(3, r"twice\.json:4: duplicate", "primitives", "list",
                   "--data", path)

    def test_data_that_contradicts_ours(self):
        path = self.write("se050.json",
                          (DATA / "platforms/se050.json").read_text())
        self.fails(3, r"se050\.json:3: id: platform .* is there twice",
                   "primitives", "list", "--data", path)

    def test_folders_without_data(self):
        folder = self.kw.folder / "empty"
        folder.mkdir()
        self.fails(2, "no .json file", "primitives", "list", "--data",
                   folder)
        self.fails(1, "no file to check", "primitives", "lint", folder)
        self.fails(3, "cannot open", "primitives", "evaluate",
                   folder / "absent.json")

    def test_a_pipe_is_refused_and_not_waited_for(self):
        os.mkfifo(self.kw.folder / "pipe")
        for verb in ("evaluate", "close", "evidence"):
            self.fails(3, "is not a file", "primitives", verb,
                       self.kw.folder / "pipe")

    def test_empty_lists_do_not_look_like_compliance(self):
        self.refuse(self.project(standard=[]), "standard")
        self.refuse(self.project(sources=[]), "sources", "no layer")
        self.refuse(self.project(standard={"id": "iec-62443-4-2",
                                           "level": {}}),
                    "standard.level", "nothing is asked")
        out = self.kw.run("primitives", "evaluate", self.write(
            "project.json", self.project())).out
        self.assertIn("Phase 2: not evaluated", out)
        self.assertIn("Phase 3: not evaluated", out)

    def test_cyclic_data(self):
        def primitive(name, needs):
            return {"id": name, "abbr": name, "name": name,
                    "kind": "functional", "section": "1",
                    "scopes": ["platform"], "definition": "x",
                    "mandatory": [{"id": needs, "section": "1",
                                   "rationale": "x"}], "optional": []}
        path = self.write("cycle.json", {
            "schema": "keywright/data-primitives/1", "source": "test",
            "models": ["text"],
            "primitives": [primitive("one", "two"),
                           primitive("two", "one")]})
        result = self.kw.run("primitives", "list", "--data", path, code=3)
        self.assertRegex(result.err,
                         r"cycle\.json:\d+: primitives\[0\]: .*cycle")

    def test_an_empty_platform(self):
        path = self.write("empty.json", {
            "schema": "keywright/data-platform/1", "id": "empty",
            "name": "e", "vendor": "e", "type": "mcu", "sources": ["e"],
            "features": []})
        result = self.kw.run("primitives", "list", "--data", path, code=3)
        self.assertRegex(result.err, r"empty\.json:\d+: features: an empty")

    def test_an_exclusion_of_nothing(self):
        path = self.write("project.json", {**self.camera(), "exclusions": [
            {"standard": "uk-cop", "requirement": "1", "argument": "x"}]})
        words = "excludes nothing: the project does not name uk-cop"
        self.assertEqual(self.lint(path, 0),
                         [("warning", "exclusions[0]", words)])
        self.assertRegex(
            self.kw.run("primitives", "evaluate", path, code=1).err,
            rf"warning: .*project\.json:\d+: exclusions\[0\]: {words}")

    def test_closing(self):
        """lint and close alike."""
        for closing, words in (
                ({"candidates": ["se05"]}, "closing.candidates[0]: unknown "
                 "platform \"se05\"; nearest: se050"),
                ({"preferred": ["se050"], "forbidden": ["se050"]},
                 "preferred and forbidden"),
                ({"costs": {"se050": -1}}, "closing.costs: \"se050\""),
                ({"costs": {"se05": 1}}, "closing.costs: \"se05\"")):
            path = self.write("wrong.json", {**self.camera(),
                                             "closing": closing})
            for verb, code in (("lint", 1), ("close", 3)):
                result = self.kw.run("primitives", verb, path, code=code)
                text = result.out + result.err
                self.assertRegex(text, r"wrong\.json:\d+: ")
                self.assertIn(words, text)

    def test_lint_names_all(self):
        path = self.write("wrong.json", {"use_case": {
            "id": "x", "title": "x", "selected": [
                {"primitive": "no"}, {"primitive": "neither"}]}})
        document = self.kw.json("primitives", "lint", path, code=1,
                                schema="primitives-lint")
        self.assertEqual([problem["field"]
                          for problem in document["problems"]],
                         ["use_case.selected[0].primitive",
                          "use_case.selected[1].primitive"])
        self.assertEqual([problem["line"]
                          for problem in document["problems"]], [7, 10])

    def standard(self, requirements, mappings):
        return self.write("own.json", {
            "schema": "keywright/data-standard/1", "id": "own",
            "title": "own", "edition": "1", "label": "test", "depth": "test",
            "confidence": "low", "sources": [{"what": "a",
                                              "reference": "b"}],
            "levels": {"name": "level", "values": ["1", "2"],
                       "cumulative": True},
            "requirements": [{"id": name, "title": name, **members}
                             for name, members in requirements.items()],
            "mappings": [{"primitive": primitive, "requirement": requirement,
                          "layer": "user", "confidence": "low",
                          "rationale": "test"}
                         for primitive, requirement in mappings]})

    def lint(self, path, code):
        return [(problem["severity"], problem["field"], problem["message"])
                for problem in self.kw.json(
                    "primitives", "lint", path, code=code,
                    schema="primitives-lint")["problems"]]

    def test_rules_of_a_standard(self):
        good = {"A 1": {"levels": ["1", "2"]},
                "A 1 RE(1)": {"levels": ["2"], "base": "A 1"}}
        links = [("secure-storage", name) for name in good]
        self.assertEqual(self.lint(self.standard(good, links), 0), [])
        self.assertEqual(self.lint(self.standard(good, links[:1]), 0), [
            ("warning", "requirements[1]",
             '"A 1 RE(1)" is mapped to no primitive')])
        early = {**good, "A 1": {"levels": ["2"]},
                 "A 1 RE(1)": {"levels": ["1", "2"], "base": "A 1"}}
        self.assertEqual(self.lint(self.standard(early, links), 1), [
            ("error", "requirements[1]", '"A 1 RE(1)" is asked at a level '
             'where its base "A 1" is not')])
        for requirements, mappings, field, words in (
                ({**good, "A 1 RE(1)": {"base": "A 2"}}, links,
                 "requirements[1].base", "nearest: A 1"),
                ({**good, "A 1": {"levels": ["3"]}}, links,
                 "requirements[0].levels", "3"),
                (good, [*links, ("secure-store", "A 1")],
                 "mappings[2].primitive", "nearest: secure-storage"),
                (good, [*links, ("secure-storage", "A 1 RE(2)")],
                 "mappings[2].requirement", "nearest: A 1 RE(1)"),
                (good, [*links, links[0]], "mappings[2]", "twice")):
            with self.subTest(field=field):
                ((severity, at, message),) = self.lint(
                    self.standard(requirements, mappings), 1)
                self.assertEqual(severity, "error")
                self.assertIn(field, at)
                self.assertIn(words, message)

    def test_a_file_of_two_hundred_thousand_mistakes(self):
        """The lines of all fields come from one pass; a pass a problem
        would take hours."""
        path = self.write("many.json", '{"use_case":{"id":"x","title":"x",'
                          '"selected":[\n' + ",\n".join(
                              f'{{"p{n}":1}}' for n in range(100000))
                          + "]}}")
        document = self.kw.json("primitives", "lint", path, code=1,
                                schema="primitives-lint")
        self.assertEqual(document["errors"], 200000)
        self.assertEqual(len(document["problems"]), 10000)
        for number, problem in enumerate(document["problems"]):
            self.assertEqual(problem["line"], 2 + number // 2)

    def test_a_thousand_projects_in_one_call(self):
        folder = self.kw.folder / "many"
        folder.mkdir()
        text = (EXAMPLES / "camera.json").read_text()
        for index in range(1000):
            (folder / f"{index:04}.json").write_text(text)
        document = self.kw.json("primitives", "lint", folder)
        self.assertEqual(document["files"], 1000)


if __name__ == "__main__":
    kw.main()
