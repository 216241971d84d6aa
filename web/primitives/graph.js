/* graph.js: the closure as a drawing. A column is a step away from what was
 * picked; on a narrow screen the columns become a tree. The list below says
 * the same in words. Knows dom.js and document.js. */

const LINE_HEIGHT = 16;
const ROW_GAP = 14;
const COLUMN_GAP = 44;
const BOX_LEAST = 118;
const BOX_MOST = 230;
const EDGE = 2;     /* room for the frame around the outermost boxes */

const pen = document.createElement("canvas").getContext("2d");

/* As wide as it can be drawn: bold, in the font of the page. */
function widthOf(text) {
    const {fontFamily, fontSize} = getComputedStyle(document.body);
    pen.font = `600 ${0.8125 * parseFloat(fontSize)}px ${fontFamily}`;
    return pen.measureText(text).width;
}

/* A name on as many lines as it needs. */
function linesOf(name, width) {
    const lines = [];
    for (const word of name.split(" ")) {
        const last = lines.length - 1;
        if (last >= 0 && widthOf(`${lines[last]} ${word}`) <= width - 16) {
            lines[last] += ` ${word}`;
        } else {
            lines.push(word);
        }
    }
    return lines;
}

function boxOf(report, index, width) {
    const lines = linesOf(report.catalogue.primitives[index].name, width);
    return {lines, width, height: lines.length * LINE_HEIGHT + 16};
}

/* Indexes by their distance from what was picked. */
function columnsOf(report) {
    const columns = [];
    for (const [index] of report.answer.primitives) {
        const depth = report.path(index).length - 1;
        (columns[depth] = columns[depth] || []).push(index);
    }
    return columns;
}

/* Where those that require this one stand, on average: what is required
 * stands beside them, and fewer lines cross. */
function pull(edges, boxes, index) {
    const ys = edges.filter(({to, from}) => to === index && boxes.has(from))
        .map(({from}) => boxes.get(from).y + boxes.get(from).height / 2);
    return ys.length === 0 ? 0 : ys.reduce((a, b) => a + b) / ys.length;
}

function placeInColumns(report, edges, columns, width) {
    const count = columns.length;
    const box = Math.min(BOX_MOST, Math.floor(
        (width - 2 * EDGE - (count - 1) * COLUMN_GAP) / count));
    const boxes = new Map();
    let height = 0;
    columns.forEach((column, depth) => {
        let y = EDGE;
        const pulls = new Map(column.map((index) =>
            [index, pull(edges, boxes, index)]));
        column.sort((a, b) => pulls.get(a) - pulls.get(b) || a - b);
        for (const index of column) {
            const at = boxOf(report, index, box);
            boxes.set(index, {...at, x: EDGE + depth * (box + COLUMN_GAP), y});
            y += at.height + ROW_GAP;
        }
        height = Math.max(height, y - ROW_GAP + EDGE);
    });
    return {boxes, height};
}

/* From the middle of a side to the middle of a side; within a column and
 * backwards around the right hand side. */
function curve(from, to) {
    const y1 = from.y + from.height / 2;
    const y2 = to.y + to.height / 2;
    const x1 = from.x + from.width;
    if (to.x > from.x) {
        const bend = (to.x - x1) / 2;
        return `M${x1} ${y1}C${x1 + bend} ${y1} ${to.x - bend} ${y2} ` +
            `${to.x - EDGE} ${y2}`;
    }
    if (to.x === from.x) {
        const far = Math.min(34, 12 + Math.abs(y2 - y1) / 14);
        const shift = y2 > y1 ? 6 : -6;
        return `M${x1} ${y1 + shift}C${x1 + far} ${y1 + shift} ${x1 + far} ` +
            `${y2 - shift} ${x1 + EDGE} ${y2 - shift}`;
    }
    const x2 = to.x + to.width;
    const bend = Math.min(40, (from.x - x2) / 2);
    return `M${from.x} ${y1 + 6}C${from.x - bend} ${y1 + 6} ${x2 + bend} ` +
        `${y2 + 6} ${x2 + EDGE} ${y2 + 6}`;
}

/* --- the tree of a narrow screen --- */

function placeInTree(report, width) {
    const boxes = new Map();
    const indent = 22;
    let y = EDGE;
    const add = (index, depth) => {
        const x = EDGE + depth * indent;
        const at = boxOf(report, index, Math.min(260, width - EDGE - x));
        boxes.set(index, {...at, x, y});
        y += at.height + ROW_GAP;
        for (const [child, parent] of report.answer.primitives) {
            if (parent === index) {
                add(child, depth + 1);
            }
        }
    };
    for (const [index, parent] of report.answer.primitives) {
        if (parent === NONE) {
            add(index, 0);
        }
    }
    return {boxes, height: y - ROW_GAP + EDGE};
}

function elbow(from, to) {
    const y = to.y + to.height / 2;
    return `M${from.x + 10} ${from.y + from.height}V${y}H${to.x - EDGE}`;
}

/* --- drawing --- */

function drawBox(report, index, {x, y, width, height, lines}) {
    const picked = (report.selected >> BigInt(index) & 1n) !== 0n;
    const middle = y + height / 2 + 4.5 - (lines.length - 1) / 2 * LINE_HEIGHT;
    return s("g", {class: picked ? "node picked" : "node"},
        s("rect", {x, y, width, height, rx: 6}),
        picked && s("rect", {class: "inner", x: x + 3, y: y + 3,
            width: width - 6, height: height - 6, rx: 4}),
        lines.map((line, i) => s("text", {x: x + width / 2,
            y: middle + i * LINE_HEIGHT, "text-anchor": "middle"}, line)));
}

function arrow(id) {
    return s("marker", {id, viewBox: "0 0 8 8", refX: 7, refY: 4,
        markerWidth: 8, markerHeight: 8, orient: "auto"},
    s("path", {class: id, d: "M1 1L7 4L1 7"}));
}

function drawClosure(report, width) {
    const columns = columnsOf(report);
    const wide = width >=
        columns.length * (BOX_LEAST + COLUMN_GAP) - COLUMN_GAP + 2 * EDGE;
    const all = report.answer.edges.map(([edge]) =>
        report.catalogue.edge(edge));
    const leads = ({from, to}) => report.parents.get(to) === from;
    const edges = wide ? all : all.filter(leads);
    const {boxes, height} = wide
        ? placeInColumns(report, edges, columns, width)
        : placeInTree(report, width);
    const picked = report.answer.primitives.filter(([, , is]) => is).length;
    const line = (edge, kind) => s("path", {class: kind,
        "marker-end": `url(#arrow-${kind})`,
        d: (wide ? curve : elbow)(boxes.get(edge.from), boxes.get(edge.to))});
    return s("svg", {class: "closure", role: "img", "aria-label":
        `${plural(picked, "picked primitive", "picked primitives")} and ` +
        `${boxes.size - picked} that they require; the list says it in words`,
    viewBox: `0 0 ${width} ${height}`, width, height},
    s("defs", {}, arrow("arrow-edge"), arrow("arrow-first")),
    edges.filter((edge) => !leads(edge)).map((edge) => line(edge, "edge")),
    edges.filter(leads).map((edge) => line(edge, "first")),
    [...boxes].map(([index, box]) => drawBox(report, index, box)));
}
