/* engine.js: the C engine. It judges; the page shows what it says.
 *
 * Words in, words out, as docs/primitives.md has them. Knows nobody. */

const NONE = 0xffffffff;

/* Sections of the answer to an evaluation: their names, and the words of a
 * record. The order is that of enum kw_engine_answer_section. */
const ANSWER = [
    ["summary", 9], ["primitives", 3], ["edges", 1], ["suggestions", 1],
    ["rows", 4], ["links", 3], ["constraints", 1], ["fits", 6],
    ["features", 1], ["wants", 8], ["items", 1], ["missing", 1],
    ["profiles", 2],
];
const STATUS = {
    1: "the data set is damaged",
    2: "the project names what the data set lacks",
    3: "the project is larger than the engine takes",
    4: "the project has more gaps than the engine takes",
};
const WORKING_MEMORY = 1 << 20;
const ANSWER_WORDS = 1 << 18;

function bytesOf(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
        bytes[i] = text.charCodeAt(i);
    }
    return bytes;
}

/* Words of a file, little-endian on any machine. */
function wordsOf(bytes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({length: bytes.length >> 2},
        (_, i) => view.getUint32(4 * i, true));
}

class Engine {
    static async open(base64, words) {
        const {instance} = await WebAssembly.instantiate(bytesOf(base64), {});
        return new Engine(instance.exports, words);
    }

    constructor(code, words) {
        this.code = code;
        this.words = words;
        this.start = (code.__heap_base.value + 7) & ~7;
    }

    /* Lays everything out behind the module's own memory. */
    call(name, project, wish, ...more) {
        const {code, words} = this;
        const align = (at) => (at + 7) & ~7;
        const call = this.start;
        const data = align(call + 40);
        const ask = align(data + 4 * words.length);
        const want = align(ask + 4 * project.length);
        const memory = align(want + 4 * wish.length);
        const answer = memory + WORKING_MEMORY;
        const end = answer + 4 * ANSWER_WORDS;
        const short = end - code.memory.buffer.byteLength;
        if (short > 0) {
            code.memory.grow((short + 65535) >> 16);
        }
        const view = new Uint32Array(code.memory.buffer);
        view.set([data, words.length, ask, project.length, want, wish.length,
            memory, WORKING_MEMORY, answer, ANSWER_WORDS], call >> 2);
        view.set(words, data >> 2);
        view.set(project, ask >> 2);
        view.set(wish, want >> 2);
        const status = code[name](call, ...more) >>> 0;
        if (status !== 0) {
            throw new Error(STATUS[status] || "the engine failed");
        }
        return view.slice(answer >> 2, (answer >> 2) + view[answer >> 2]);
    }

    evaluate(project) {
        const words = this.call("kw_engine_call_evaluate", project, []);
        const answer = {};
        ANSWER.forEach(([name, width], section) => {
            const first = words[1 + 2 * section];
            const records = words[2 + 2 * section];
            answer[name] = Array.from({length: records}, (_, i) =>
                Array.from(words.subarray(first + i * width,
                    first + (i + 1) * width)));
        });
        return answer;
    }

    /* One closing, then one for each swap. */
    close(project, wish) {
        const words = this.call("kw_engine_call_close", project, wish);
        let at = 2;
        const take = (count) => words.subarray(at, at += count);
        return Array.from({length: words[1]}, () => {
            const [insteadOf, main, gapCount, setCount] = take(4);
            const gaps = Array.from({length: gapCount}, () => {
                const [kind, index, impossible] = take(3);
                return {kind, index, impossible: impossible !== 0};
            });
            const sets = Array.from({length: setCount}, () => {
                const [cents, count] = take(2);
                return {cents, parts: Array.from(take(count))};
            });
            return {insteadOf, main, gaps, sets};
        });
    }

    /* What excluding a primitive takes along; null: it applies. */
    exclude(project, primitive) {
        const words =
            this.call("kw_engine_call_exclude", project, [], primitive);
        return words[1] !== 0 ? null : Array.from(words.subarray(2));
    }
}
