/* The page and the command give the same answers, and refuse the same files
 * at the same line and field: 1,000 random projects, from one seed. */
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {cpus} from "node:os";
import {after, before, test} from "node:test";

import {command, document, open, start, stop, write, writePage} from
    "./browser.mjs";

const COUNT = Number(process.env.KEYWRIGHT_WEB_PROJECTS || 1000);
const SETS = 5;

/* --- random projects --- */

/* mulberry32 */
function generator(seed) {
    let state = seed;
    return () => {
        state = (state + 0x6d2b79f5) | 0;
        let t = Math.imul(state ^ (state >>> 15), 1 | state);
        t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
        return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
}

class Maker {
    constructor(names, seed) {
        this.names = names;
        this.random = generator(seed);
    }

    below(limit) {
        return Math.floor(this.random() * limit);
    }

    often(share) {
        return this.random() < share;
    }

    one(list) {
        return list[this.below(list.length)];
    }

    /* Up to so many different ones. */
    some(list, most) {
        return [...new Set(Array.from({length: this.below(most + 1)}, () =>
            this.one(list)))];
    }

    ids(table, most) {
        return this.some(this.names[table].map(({id}) => id), most);
    }

    need(primitive) {
        return {primitive, ...this.often(0.5)
            ? {algorithms: this.ids("algorithms", 4)} : {}};
    }

    useCase() {
        return {id: "random", title: "Random",
            selected: [...new Set([this.one(this.names.primitives).id,
                ...this.ids("primitives", 4)])].map((id) => this.need(id)),
            ...this.often(0.6) ? {implicit_details:
                this.ids("primitives", 2).map((id) => this.need(id))} : {}};
    }

    level(standard) {
        const {levels: {values}, groups = []} = standard;
        const one = () => {
            const value = this.one(values);
            return /^\d+$/.test(value) && this.often(0.7) ? Number(value)
                : value;
        };
        return groups.length > 0 && this.often(0.4) ? Object.fromEntries(
            this.some(groups, 7).map(({id}) =>
                [id, this.often(0.2) ? 0 : one()])) : one();
    }

    standard() {
        const list = this.some(this.names.standards, 4).map((standard) => ({
            id: standard.id,
            ...standard.levels === undefined ? {}
                : {level: this.level(standard)},
            ...standard.types !== undefined && this.often(0.6)
                ? {component_type: this.one(standard.types).id} : {}}));
        return list.length === 1 && this.often(0.5) ? list[0] : list;
    }

    exclusion() {
        if (this.often(0.2)) {
            return {primitive: this.one(this.names.primitives).id,
                argument: "not here"};
        }
        const {standard, id} = this.one(this.names.requirements);
        return {standard, requirement: id, argument: "not here"};
    }

    guidance() {
        return this.often(0.5)
            ? {primitive: this.one(this.names.primitives).id, text: "by hand"}
            : {algorithm: this.one(this.names.algorithms).id,
                text: "by hand"};
    }

    closing() {
        const ids = (most) => this.ids("parts", most);
        return {
            ...this.often(0.5) ? {candidates: ids(8)} : {},
            ...this.often(0.3) ? {forbidden: ids(2)} : {},
            ...this.often(0.4) ? {preferred: ids(2)} : {},
            ...this.often(0.4) ? {costs: Object.fromEntries(ids(4).map((id) =>
                [id, this.below(900)]))} : {},
        };
    }

    /* One that is wrong in a place: the same refusal is expected. */
    spoil(project) {
        const wrongs = [
            () => (project.platforms = ["se05"]),
            () => (project.standard = {id: "iec-62443-4-2", level: 9}),
            () => (project.standard = {id: "sesip", level: 1}),
            () => (project.standard = []),
            () => (project.platfroms = ["se050"]),
            () => (project.reading = "loose"),
            () => (project.platforms = []),
            () => (project.guidance = [{text: "whom?"}]),
            () => (project.use_case = {id: "x", title: "x", selected: [
                {primitive: "secure-update"}]}),
            () => (project.exclusions = [{primitive: "root-of-trust"}]),
            () => (project.exclusions = [{standard: "iec-62443-4-2",
                requirement: "CR 99", argument: "none"}]),
            () => Object.assign(project, {exclusions: [], use_case:
                {id: "x", title: "x", selected: []}}),
            () => (project.sources = []),
            () => (project.sources = ["seed", "rumour"]),
        ];
        this.one(wrongs)();
    }

    project() {
        const parts = this.ids("parts", 4);
        const standard = this.standard();
        const project = {
            schema: "keywright/project/1",
            ...this.often(0.85) ? {use_case: this.useCase()} : {},
            ...Array.isArray(standard) && standard.length === 0 ? {}
                : {standard},
            ...parts.length === 0 ? {} : {platforms: parts},
            ...this.often(0.3) ? {exclusions: Array.from(
                {length: 1 + this.below(3)}, () => this.exclusion())} : {},
            ...this.often(0.3) ? {guidance: Array.from(
                {length: 1 + this.below(3)}, () => this.guidance())} : {},
            ...this.often(0.4) ? {closing: this.closing()} : {},
            ...this.often(0.2) ? {model: "table5"} : {},
            ...this.often(0.4) ? {reading: "interoperable"} : {},
            ...this.often(0.3)
                ? {min_confidence: this.one(["low", "medium", "high"])} : {},
            ...this.often(0.3) ? {sources: [
                this.one(["seed", "derived"]), ...this.some(["user"], 1)]} :
                {},
        };
        if (this.often(0.06)) {
            this.spoil(project);
        }
        return project;
    }
}

/* --- both sides --- */

let page;

before(async () => {
    await start();
    page = await open(writePage("page.html"));
});
after(stop);

function phases({phase1, phase2, phase3}) {
    return {phase1, phase2, phase3};
}

async function ofCommand(path) {
    const evaluated = await document("primitives", "evaluate", path);
    if (evaluated.message !== undefined) {
        return {refused: refusal(evaluated), close: null};
    }
    const closed = evaluated.phase3.platforms.length === 0 ? null
        : await document("primitives", "close", path, "--sets",
            String(SETS), "--swap");
    return {evaluate: phases(evaluated), close: closed};
}

/* A refusal as the command words it: "LINE: FIELD: ". */
function place({line, field}) {
    return field === "" ? `${line}: ` : `${line}: ${field}: `;
}

/* As texts first, which is quick; the order of members is no difference. */
function same(ours, theirs) {
    if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
        different++;
        assert.deepEqual(ours, theirs);
    }
}
let different = 0;

/* What the message of a refusal says after the name of the file. */
const refusal = ({message}) => message.replace(/^.*?\.json:/, "");

/* The page opens what both verbs take; `close` alone reads "closing". */
function compare(text, theirs, ours) {
    const refused = theirs.refused || (theirs.close !== null &&
        theirs.close.message !== undefined && refusal(theirs.close));
    if (refused) {
        assert.ok(ours.problems, `the page took ${text}`);
        assert.ok(refused.startsWith(place(ours.problems[0])),
            `${refused} against ${JSON.stringify(ours.problems)}`);
        return "refused";
    }
    assert.equal(ours.problems, undefined, JSON.stringify(ours.problems));
    same(ours.evaluate, theirs.evaluate);
    if (theirs.close === null) {
        return "evaluated";
    }
    const {gaps, impossible, sets, swaps} = theirs.close;
    same(ours.close, {gaps, impossible, sets, swaps});
    return "closed";
}

test(`page and command agree on ${COUNT} projects`, async () => {
    const names = await page.evaluate(() =>
        JSON.parse(document.getElementById("data").textContent));
    /* Requirements with the standard that each belongs to. */
    names.requirements = (await Promise.all(names.standards.map(({id}) =>
        document("primitives", "show", id)))).flatMap((shown, i) =>
        (shown.entry || shown).requirements.map(({id}) =>
            ({id, standard: names.standards[i].id})));
    const maker = new Maker(names, 20261120);
    const texts = Array.from({length: COUNT}, () =>
        JSON.stringify(maker.project(), null, 1));
    const answers = await page.evaluate(async ([all, sets]) => {
        const {answer} = await window.keywright;
        return all.map((text) => answer(text, sets, true));
    }, [texts, SETS]);
    const count = {refused: 0, evaluated: 0, closed: 0};
    let next = 0;
    await Promise.all(cpus().map(async (_, worker) => {
        while (next < texts.length) {
            const at = next++;
            const path = write(`project-${worker}.json`, texts[at]);
            count[compare(texts[at], await ofCommand(path), answers[at])]++;
        }
    }));
    console.log(JSON.stringify(count), different);
    /* The sample is no good when it is all of one kind. */
    assert.ok(count.closed > COUNT / 3 && count.evaluated > COUNT / 20 &&
        count.refused > COUNT / 50, JSON.stringify(count));
});

test("both refuse what is no project at all", async () => {
    const wrong = ["", "[]", "{", "{\"a\":1,\"a\":2}", "{\"model\":\"text\"}",
        "{\"platforms\":[\"se050\",]}", "{\"platforms\":[\"se050\"]} x",
        "{\n\"reading\":\n7}", "{\"platforms\":[\"\\ud800\"]}",
        "{\"platforms\":[\"a\\u0000\"]}",
        "{\"platforms\":[\"se050\"],\n\"schema\":\"a\\u001b[2J\"}",
        "{\"platforms\":[\"se050\"],\n\"schema\":\"a\\u202eb\"}",
        "{\"standard\":{\"id\":\"iec-62443-4-2\",\"level\":3.0}}",
        "{\"standard\":{\"id\":\"iec-62443-4-2\",\"level\":true}}",
        "{\"platforms\":[\"se050\"],\"closing\":{\"costs\":{\"se050\":-1}}}",
        "{\"platforms\":[\"se050\"],\"evidence\":[{}]}",
        "{\"use_case\":{\"id\":\"x\",\"title\":\"x\",\"selected\":[]}}"];
    for (const text of wrong) {
        const path = write("wrong.json", text);
        const verb = text.includes("costs") ? "close" : "evaluate";
        const {message} = await document("primitives", verb, path);
        const ours = await page.evaluate(async (one) =>
            (await window.keywright).answer(one, 1, false), text);
        assert.ok(message, `the command took ${text}`);
        assert.ok(ours.problems, `the page took ${text}`);
        const line = /\.json:(\d+):/.exec(message);
        assert.equal(ours.problems[0].line, Number(line[1]),
            `${text}: ${message}; ${JSON.stringify(ours.problems)}`);
    }
});

test("the examples are as the command reads them", async () => {
    for (const name of ["camera", "sensor-sl2", "keywright-device"]) {
        const path = new URL(`../../examples/${name}.json`, import.meta.url);
        const text = readFileSync(path, "utf-8");
        const ours = await page.evaluate(async ([one, sets]) =>
            (await window.keywright).answer(one, sets, true), [text, SETS]);
        assert.equal(compare(text, await ofCommand(path.pathname), ours),
            "closed");
    }
    assert.deepEqual(page.wrong, []);
    assert.match(command("primitives", "--help"), /page/);
});
