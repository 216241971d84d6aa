/* browser.mjs: the command, and pages in Debian's chromium. */
import {execFile, execFileSync} from "node:child_process";
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from "node:fs";
import {createRequire} from "node:module";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";

const require = createRequire(
    join(process.env.KEYWRIGHT_WEB_MODULES, "package.json"));
const {chromium} = require("playwright-core");

export const AXE = readFileSync(require.resolve("axe-core/axe.min.js"),
    "utf-8");
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), "keywright-web-"));
process.on("exit", () => rmSync(folder, {recursive: true, force: true}));

/* --- the command --- */

export function command(...words) {
    return execFileSync(process.env.KEYWRIGHT, words, {encoding: "utf-8"});
}

/* The JSON document of a command, whatever its exit code. */
export function document(...words) {
    return new Promise((resolve, reject) => {
        execFile(process.env.KEYWRIGHT, [...words, "--json"],
            {maxBuffer: 1 << 26}, (error, out) => {
                try {
                    resolve(JSON.parse(out));
                } catch (problem) {
                    reject(error || problem);
                }
            });
    });
}

export function write(name, value) {
    const path = join(folder, name);
    writeFileSync(path, typeof value === "string" ? value
        : JSON.stringify(value, null, 1));
    return path;
}

export function example(name) {
    return JSON.parse(readFileSync(join(ROOT, "examples", `${name}.json`),
        "utf-8"));
}

/* Where the command wrote the page, with files of the user's beside ours. */
export function writePage(name, ...data) {
    const path = join(folder, name);
    command("primitives", "page", "-o", path,
        ...data.length > 0 ? ["--data", data.join(",")] : []);
    return path;
}

/* --- the browser --- */

let browser;

export async function start() {
    const root = process.getuid() === 0;
    browser = await chromium.launch({executablePath: "chromium",
        args: root ? ["--no-sandbox"] : []}).catch(() =>
        chromium.launch({executablePath: "/usr/bin/chromium",
            args: root ? ["--no-sandbox"] : []}));
    return browser;
}

export const stop = () => browser.close();

/* Opens a page from its file, without a network. page.asked: every address
 * that it asked for; page.wrong: what it complained of. */
export async function open(path, options = {}) {
    const context = await browser.newContext(
        {viewport: {width: 1360, height: 900}, acceptDownloads: true,
            ...options});
    await context.setOffline(true);
    const page = await context.newPage();
    page.asked = [];
    page.wrong = [];
    page.on("request", (request) => page.asked.push(request.url()));
    page.on("pageerror", (error) => page.wrong.push(error.message));
    page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) {
            page.wrong.push(message.text());
        }
    });
    await page.goto(pathToFileURL(path).href);
    await page.evaluate(() => window.keywright);
    return page;
}
