/* The page as an architect walks it: questions, list, closure, standards,
 * parts, counts, files, paper; by keyboard alone; without a network. */
import assert from "node:assert/strict";
import {execFileSync} from "node:child_process";
import {readFileSync} from "node:fs";
import {join} from "node:path";
import {after, before, test} from "node:test";

import {AXE, ROOT, document as run, example, folder, open, start, stop,
    write, writePage} from "./browser.mjs";

let path;

before(async () => {
    await start();
    path = writePage("page.html");
});
after(stop);

/* Opens, hands the page to the test, then asks whether it kept quiet. */
async function visit(options, walk) {
    const page = await open(path, options);
    await walk(page);
    assert.deepEqual(page.wrong, []);
    assert.deepEqual(page.asked.filter((url) =>
        !/^(file:\/\/.*\/page\.html|blob:|data:)/.test(url)), []);
    await page.context().close();
}

const card = (page, name) => page.getByRole("button", {name}).click();
const CAMERA = /surveillance camera/i;
const SENSOR = /pressure sensor/i;

async function cells(page) {
    return page.locator(".cells a").allInnerTexts();
}

/* In the dark only the colours are others. */
async function axe(page, scheme) {
    await page.evaluate(AXE);
    const found = await page.evaluate((rules) => window.axe.run(rules),
        scheme === "dark" ? {runOnly: ["color-contrast"]} : {});
    assert.deepEqual(found.violations.map(({id, nodes}) =>
        [id, nodes.map(({html}) => html).slice(0, 3)]), []);
    assert.ok(found.passes.length > (scheme === "dark" ? 0 : 10));
}

async function loadText(page, name, text) {
    await page.setInputFiles("#file", {name, mimeType: "application/json",
        buffer: Buffer.from(text)});
}

/* --- the path --- */

test("from the first screen through questions to closed gaps", async () => {
    await visit({}, async (page) => {
        await page.getByRole("button", {name: "Start with the questions"})
            .click();
        for (const cell of await cells(page)) {
            assert.match(cell, /nothing picked|not evaluated/);
        }
        assert.equal(await page.locator(".answer .not-evaluated").count(), 4);
        assert.equal(await page.locator(".is-covered, .is-met").count(), 0);

        await page.getByLabel(/firmware, software or configuration be changed/)
            .check();
        const {applicable} = await run("primitives", "closure",
            "secure-updates");
        assert.equal(await page.locator(".closure .node").count(),
            applicable.length);
        assert.equal(await page.locator(".closure .picked").count(), 1);
        const because = page.locator(".applies .because");
        assert.match((await because.allInnerTexts()).join(),
            /Secure Updates › Cryptographic Operation/);

        await page.getByLabel(/ISA\/IEC 62443-4-2/).check();
        const requirements = page.locator("#standards .answer");
        assert.match(await requirements.innerText(), /Choose its level/);
        assert.equal(await requirements.locator(".is-covered").count(), 0);
        await page.getByLabel("Level (SL-C)").selectOption("2");
        await page.getByLabel("Component type").selectOption("EDR");
        assert.match((await cells(page))[1], /\d+ uncovered, \d+ covered/);

        await page.getByLabel(/SAMD21 \(Cortex/).check();
        assert.match((await cells(page))[2], /gap/);
        const before = (await cells(page))[3];
        await page.getByRole("button", {name: "Add to the system"}).first()
            .click();
        assert.notEqual((await cells(page))[3], before);
        assert.match((await cells(page))[2], /^Parts\s+(0|\d) gaps?/);
    });
});

test("where nothing helps there is no set, and no price", async () => {
    const project = {...example("camera"),
        closing: {candidates: ["samd21"]}};
    const closed = await run("primitives", "close",
        write("helpless.json", project));
    assert.equal(closed.gaps.length, closed.impossible.length);
    await visit({}, async (page) => {
        await loadText(page, "helpless.json", JSON.stringify(project));
        const answer = page.locator("#closing .answer");
        await answer.waitFor();
        assert.match(await answer.innerText(),
            /No candidate closes any of the gaps/);
        const counter = page.locator('[data-key="closing/sets"]');
        assert.match(await counter.innerText(), /^0\s+sets of parts/);
        await counter.click();
        assert.doesNotMatch(await answer.innerText(),
            /nothing to add|\d\.\d\d/);
        assert.doesNotMatch(await page.locator("body").innerText(),
            /about \d+\.\d\d(?![^]*name no currency)/);
        await page.emulateMedia({media: "print"});
        assert.doesNotMatch(await page.locator("body").innerText(),
            /0\.00/);
    });
});

test("by list, with a filter", async () => {
    await visit({}, async (page) => {
        await page.getByRole("button", {name: "Start with the questions"})
            .click();
        await page.getByRole("radio", {name: "List"}).check();
        await page.getByLabel("Find in the list").fill("root of");
        const shown = page.locator("#use-case .pick:visible");
        assert.ok(await shown.count() < 10);
        await page.getByRole("checkbox", {name: "Root of Trust"}).check();
        await page.getByLabel("Find in the list").fill("");
        assert.equal(await shown.count(), 26);
        assert.match((await cells(page))[0], /\d+ apply/);
    });
});

test("the camera is counted as by the command", async () => {
    const evaluated = await run("primitives", "evaluate",
        write("camera.json", example("camera")));
    const [iec] = evaluated.phase2.standards;
    await visit({}, async (page) => {
        await card(page, CAMERA);
        const [primitives, requirements, parts] = await cells(page);
        const of = (status) => evaluated.phase3.rows.filter((row) =>
            row.status === status).length;
        assert.match(primitives,
            new RegExp(`${evaluated.phase1.applicable.length} apply`));
        assert.match(requirements, new RegExp(
            `${iec.count_uncovered} uncovered, ${iec.count_unique} covered`));
        assert.match(parts, new RegExp(`${of("gap")} gap.*` +
            `${of("partial")} partial, ${of("covered")} covered`));
    });
});

test("each count opens its list; links show path and confidence", async () => {
    await visit({}, async (page) => {
        await card(page, SENSOR);
        await page.getByLabel("Also try every other microcontroller").check();
        const keys = await page.locator(".counter").evaluateAll((all) =>
            all.map((one) => one.dataset.key));
        assert.ok(keys.length >= 16, keys.join());
        for (const key of keys) {
            const counter = page.locator(`[data-key="${key}"]`);
            if (await counter.getAttribute("aria-expanded") === "false") {
                await counter.click();
            }
            const list = page.locator(`[id="${await counter
                .getAttribute("aria-controls")}"]`);
            const count = Number(await counter.locator("strong").innerText());
            assert.equal(await list.locator("> ul > li").count(), count, key);
            assert.ok(await list.isVisible());
        }
        await page.locator("[data-key$='62443-4-2/covered']").click();
        assert.match(await page.locator("#standards .way").first()
            .innerText(), /Account Authentication/);
        assert.match((await page.locator("#standards .way").allInnerTexts())
            .join("\n"), /^\S.* › .*\S$/m);
        for (const row of await page.locator(
            "#standards .requirement:first-child .links").allInnerTexts()) {
            assert.match(row, /(low|medium|high) confidence, (seed|derived)/);
        }
        await page.locator("[data-key$='62443-4-2/covered']").click();
        assert.equal(await page.locator("[id='list-standard-iec-62443-4-2']")
            .isVisible(), false);
    });
});

test("evidence of the file is shown, and not taken for checked", async () => {
    const {evidence: [first], evidence} = example("keywright-device");
    await visit({}, async (page) => {
        await card(page, /SAMD21 device/);
        for (const {standard} of evidence) {
            const scope =
                page.locator(`[data-key='standard-${standard}/scope']`);
            if (await scope.getAttribute("aria-expanded") === "false") {
                await scope.click();
            }
        }
        const shown = page.locator("#standards .requirement")
            .filter({hasText: first.requirement})
            .filter({hasText: `Evidence: ${first.file || first.url}`});
        assert.match(await shown.first().innerText(),
            /(planned|passed|failed) \d{4}-.*not looked into/);
    });
});

test("exclusions and the manual want their words", async () => {
    await visit({}, async (page) => {
        await card(page, CAMERA);
        const excluded = page.locator("[data-key$='62443-4-2/excluded']");
        assert.match(await excluded.innerText(), /^0/);
        await page.locator("#standards .requirement summary").first().click();
        const form = page.locator("#standards .requirement details[open]");
        await form.getByRole("button", {name: "Exclude"}).click();
        assert.match(await form.innerText(), /needs its argument/);
        await form.getByRole("textbox").fill("no human users");
        await form.getByRole("button", {name: "Exclude"}).click();
        assert.match(await excluded.innerText(), /^1/);
        await page.locator("#parts .requirement summary").first().click();
        const guide = page.locator("#parts .requirement details[open]");
        await guide.getByRole("textbox").fill("use a good library");
        await guide.getByRole("button").click();
        assert.match(await page.locator("[data-key='fits/guidance']")
            .innerText(), /^1/);
    });
});

test("a contradiction is said, and can be taken back", async () => {
    await visit({}, async (page) => {
        await card(page, SENSOR);
        await page.getByLabel(/backed up and restored/).check();
        const failed = page.locator(".summary .failed");
        assert.match(await failed.innerText(),
            /exclusions\[0\]: contradicts the use case/);
        assert.equal(await page.locator(".is-covered, .is-met").count(), 0);
        await failed.getByRole("button", {name: "Take it out"}).click();
        assert.equal(await failed.count(), 0);
        assert.match((await cells(page))[1], /\d+ covered/);
    });
});

test("a level taken back counts nothing of the standard", async () => {
    await visit({}, async (page) => {
        await card(page, CAMERA);
        await page.getByLabel("Level (SL-C)").selectOption("");
        assert.match((await cells(page))[1], /a level is missing/);
        await page.getByLabel("Level (SL-C)").selectOption("1");
        assert.match((await cells(page))[1], /\d+ uncovered/);
        await page.getByLabel("A level for each").check();
        await page.getByLabel("IAC (FR 1)").selectOption("4");
        const [target] = JSON.parse(readFileSync(await saved(page),
            "utf-8")).standard;
        assert.deepEqual(target.level, {IAC: 4, UC: 1, SI: 1, DC: 1, RDF: 1,
            TRE: 1, RA: 1});
    });
});

/* --- files --- */

async function saved(page) {
    const [download] = await Promise.all([page.waitForEvent("download"),
        page.getByRole("button", {name: "Save"}).click()]);
    const file = join(folder, `saved-${download.suggestedFilename()}`);
    await download.saveAs(file);
    return file;
}

test("what is saved is what the command reads, and loads again", async () => {
    await visit({}, async (page) => {
        await card(page, CAMERA);
        assert.deepEqual(JSON.parse(readFileSync(await saved(page), "utf-8")),
            example("camera"));
        await page.getByLabel(/firmware, software or configuration/).check();
        await page.getByLabel("Name of the product").fill("Camera II");
        await page.getByLabel("Name of the product").press("Enter");
        const file = await saved(page);
        const evaluated = await run("primitives", "evaluate", file);
        assert.equal(evaluated.title, "Camera II");
        const shown = await cells(page);
        assert.match(shown[1], new RegExp(
            `${evaluated.phase2.standards[0].count_uncovered} uncovered`));
        await page.getByRole("button", {name: "Start over"}).click();
        await page.setInputFiles("#file", file);
        await page.locator(".cells").waitFor();
        assert.deepEqual(await cells(page), shown);
    });
});

test("a wrong file is refused with line and field; the page stays", async () => {
    const wrong = [
        ["{\"platforms\": [\n\"se05\"]}", /:2.*platforms\[0\].*nearest: se050/],
        ["{\"model\": \"text\",\n\"model\": \"text\"}", /:2.*twice/],
        ["not JSON", /:1/],
        ["{\"platfroms\": [\"se050\"]}", /nearest: platforms/],
        [`{"x": "${"y".repeat(5 << 20)}"}`, /larger than 4 MiB/],
    ];
    await visit({}, async (page) => {
        await card(page, CAMERA);
        const before = await cells(page);
        for (const [text, message] of wrong) {
            await loadText(page, "wrong.json", text);
            const dialog = page.getByRole("dialog");
            await dialog.waitFor();
            assert.match((await dialog.innerText()).replaceAll("\n", " "),
                message);
            assert.match(await dialog.innerText(), /wrong\.json:\d+/);
            await page.keyboard.press("Escape");
            await dialog.waitFor({state: "detached"});
            assert.deepEqual(await cells(page), before);
        }
    });
});

/* --- hostile texts --- */

const HOSTILE = "</script><script>window.hacked=1</script>" +
    "<img src=x onerror=window.hacked=1>\"'&{{data}}";

test("hostile texts of a project stay texts", async () => {
    const project = example("camera");
    project.use_case.title = HOSTILE;
    project.use_case.description = HOSTILE;
    project.use_case.selected[0].text = HOSTILE;
    project.exclusions = [{standard: "iec-62443-4-2", requirement: "CR 1.1",
        argument: HOSTILE}];
    project.guidance = [{primitive: "secure-communication", text: HOSTILE}];
    await visit({}, async (page) => {
        await loadText(page, `${HOSTILE}.json`, JSON.stringify(project));
        await page.locator(".cells").waitFor();
        assert.equal(await page.getByLabel("Name of the product").inputValue(),
            HOSTILE);
        await page.locator("[data-key$='62443-4-2/excluded']").click();
        await page.emulateMedia({media: "print"});
        await page.locator("#report h1").waitFor();
        assert.equal(await page.locator("#report h1").innerText(), HOSTILE);
        await page.emulateMedia({media: "screen"});
        await loadText(page, `${HOSTILE}.json`, `{"${"<b>".repeat(9)}": 1}`);
        await page.getByRole("dialog").waitFor();
        assert.equal(await page.evaluate(() => window.hacked), undefined);
        assert.equal(await page.locator("main img, main b, dialog b").count(),
            0);
    });
});

test("what is typed is fit for a file", async () => {
    await visit({}, async (page) => {
        await card(page, CAMERA);
        await page.getByLabel("Name of the product")
            .fill("  one\ntwo\u202e three\u0007 ");
        await page.getByLabel("Name of the product").press("Enter");
        const file = await saved(page);
        assert.equal((await run("primitives", "evaluate", file)).title,
            "one two three");
    });
});

test("data of the user's own alone offers no example that lacks", async () => {
    const standard = write("own.json", JSON.parse(readFileSync(join(ROOT,
        "data/primitives/primitives.json"), "utf-8")));
    const own = join(folder, "own.html");
    execFileSync(process.env.KEYWRIGHT, ["primitives", "page", "-o", own,
        "--only", "--data", standard]);
    const page = await open(own);
    assert.equal(await page.locator(".card").count(), 0);
    await page.getByRole("button", {name: /with the questions/}).click();
    await page.getByLabel(/firmware, software or configuration/).check();
    assert.match((await cells(page))[0], /\d apply/);
    assert.deepEqual(page.wrong, []);
    await page.context().close();
});

test("hostile names of the user's own data stay texts", async () => {
    const part = write("part.json", {schema: "keywright/data-platform/1",
        id: "hostile", name: HOSTILE, vendor: HOSTILE, type: "software",
        sources: ["none"], cost: {cents: 1, basis: HOSTILE}, features: [
            {primitive: "secure-storage", feature: HOSTILE, algorithms: [],
                usage: "general", support: "full", layer: "user",
                confidence: "low", robustness: HOSTILE}]});
    const page = await open(writePage("hostile.html", part));
    await card(page, CAMERA);
    await page.locator("#part-hostile").check();
    assert.match(await page.locator("#parts").innerText(),
        /<script>window\.hacked=1/);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.deepEqual(page.wrong, []);
    await page.context().close();
});

/* --- for everybody --- */

/* Presses Tab until the element has the focus. */
async function tabTo(page, selector) {
    for (let i = 0; i < 400; i++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate((wanted) =>
            document.activeElement.matches(wanted), selector)) {
            return;
        }
    }
    assert.fail(`Tab never comes to ${selector}`);
}

test("by keyboard alone", async () => {
    await visit({}, async (page) => {
        await tabTo(page, "#begin");
        await page.keyboard.press("Enter");
        await tabTo(page, "[data-key='title']");
        await page.keyboard.type("Keys only");
        await tabTo(page, "#pick-secure-updates");
        await page.keyboard.press("Space");
        await tabTo(page, "[data-key='closure/required']");
        await page.keyboard.press("Enter");
        assert.equal(await page.evaluate(() =>
            document.activeElement.dataset.key), "closure/required");
        await tabTo(page, "#standard-iec-62443-4-2");
        await page.keyboard.press("Space");
        await tabTo(page, "[data-key='level-iec-62443-4-2']");
        await page.keyboard.type("3");
        await tabTo(page, "[data-key$='62443-4-2/uncovered']");
        await tabTo(page, "#part-samd21");
        await page.keyboard.press("Space");
        await tabTo(page, "[data-key='add-0']");
        await page.keyboard.press("Enter");
        assert.match((await cells(page)).join(), /uncovered.*gap/s);
        /* The focus is always to be seen. */
        await tabTo(page, "[data-key='swap']");
        assert.notEqual(await page.evaluate(() =>
            getComputedStyle(document.activeElement).outlineStyle), "none");
        const [download] = await Promise.all([
            page.waitForEvent("download"),
            (async () => {
                await page.locator(".skip").focus();
                await tabTo(page, "#tools button:nth-of-type(3)");
                await page.keyboard.press("Enter");
            })()]);
        assert.equal(download.suggestedFilename(), "product.json");
    });
});

test("axe finds nothing on any screen, light and dark", async () => {
    for (const colorScheme of ["light", "dark"]) {
        await visit({colorScheme}, async (page) => {
            await axe(page, colorScheme);
            await card(page, SENSOR);
            await page.getByLabel("Also try every other").check();
            await page.locator(".settings summary").click();
            await axe(page, colorScheme);
            await page.getByRole("radio", {name: "List"}).check();
            await page.locator("[data-key$='62443-4-2/excluded']").click();
            await page.locator("[data-key='fits/covered']").click();
            await axe(page, colorScheme);
            await loadText(page, "wrong.json", "{");
            await page.getByRole("dialog").waitFor();
            await axe(page, colorScheme);
            await page.keyboard.press("Escape");
            await page.getByRole("button", {name: "Start over"}).click();
            await page.getByRole("button", {name: /with the questions/})
                .click();
            await axe(page, colorScheme);
        });
    }
});

test("nothing is lost at 200 % and on a narrow screen", async () => {
    for (const [width, height] of [[680, 450], [320, 640]]) {
        await visit({viewport: {width, height}}, async (page) => {
            const fits = () => page.evaluate(() => {
                const wide = [...document.querySelectorAll("body *")].filter(
                    (one) => one.getClientRects().length > 0 &&
                        one.closest(".skip, #said, .hidden") === null &&
                        one.getBoundingClientRect().right >
                            window.innerWidth + 1);
                return wide.map((one) => one.outerHTML.slice(0, 90));
            });
            assert.deepEqual(await fits(), []);
            await card(page, SENSOR);
            await page.locator(".settings summary").click();
            await page.locator("[data-key='wishes']").click();
            assert.deepEqual(await fits(), []);
        });
    }
});

test("a state is a word and a shape before it is a colour", async () => {
    await visit({forcedColors: "active", reducedMotion: "reduce"},
        async (page) => {
            await card(page, SENSOR);
            const bare = await page.locator(
                ".badge, .counter, .cells .value").evaluateAll((all) =>
                all.filter((one) => one.querySelector("svg path") === null ||
                    one.textContent.trim() === "").length);
            assert.equal(bare, 0);
            const shapes = await page.evaluate(() => Object.fromEntries(
                ["covered", "partial", "uncovered", "guidance"].map((state) =>
                    [state, document.querySelector(`.icon.is-${state} path`)])
                    .filter(([, one]) => one !== null).map(([state, one]) =>
                        [state, one.getAttribute("d")])));
            assert.equal(new Set(Object.values(shapes)).size,
                Object.keys(shapes).length);
            assert.equal(await page.evaluate(() => getComputedStyle(
                document.documentElement).scrollBehavior), "auto");
        });
});

test("on paper everything is there", async () => {
    await visit({}, async (page) => {
        await card(page, SENSOR);
        const rows = await page.evaluate(async () => {
            const text = JSON.stringify(JSON.parse(document.getElementById(
                "data").textContent).examples.find(({use_case: one}) =>
                one.id === "industrial-sensor"));
            const {evaluate} = (await window.keywright).answer(text, 1, false);
            return evaluate.phase1.applicable.length +
                evaluate.phase2.standards[0].rows.length +
                evaluate.phase3.rows.length;
        });
        await page.emulateMedia({media: "print"});
        await page.locator("#report h1").waitFor();
        assert.equal(await page.locator("#main").isVisible(), false);
        const tables = page.locator("#report table");
        assert.equal(await tables.count(), 4);
        assert.equal(await page.locator("#report tbody tr").count() -
            await tables.last().locator("tbody tr").count(), rows);
    });
});
