/* dom.js: elements from names and texts. A text is always a text: nothing in
 * this page is ever parsed as HTML. Knows nobody. */

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes || {})) {
        if (name.startsWith("on")) {
            element.addEventListener(name.slice(2), value);
        } else if (value === true) {
            element.setAttribute(name, "");
        } else if (value !== false && value !== null && value !== undefined) {
            element.setAttribute(name, String(value));
        }
    }
    element.append(...children.flat(Infinity).filter((child) =>
        child !== null && child !== undefined && child !== false));
    return element;
}

const h = (tag, attributes, ...children) =>
    fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);

/* What is drawn anew keeps the focus where it was. */
function keepingFocus(draw) {
    const active = document.activeElement;
    const key = active && active.dataset ? active.dataset.key : undefined;
    draw();
    if (key !== undefined && !active.isConnected) {
        const again =
            document.querySelector(`[data-key="${CSS.escape(key)}"]`);
        if (again !== null) {
            again.focus({preventScroll: true});
        }
    }
}

const plural = (count, one, many) => `${count} ${count === 1 ? one : many}`;
const money = (cents) => (cents / 100).toFixed(2);

/* Each state has a shape and a word of its own; the colour comes last. */
const SHAPES = {
    covered: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM4.5 8.2l2.4 2.4 4.6-4.9",
    partial: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM8 1v14M8 4h5M8 8h7M8 12h5",
    gap: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM5 5l6 6M11 5l-6 6",
    guidance: "M2 3h5l1 1 1-1h5v10H9l-1 1-1-1H2zM8 4v10",
    excluded: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM4 8h8",
    none: "M2 8h2M7 8h2M12 8h2",
    picked: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zM8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
    required: "M2 8h10M8.5 4l4 4-4 4",
};
Object.assign(SHAPES, {
    uncovered: SHAPES.gap, missing: SHAPES.gap, met: SHAPES.covered,
    explicit: SHAPES.picked, standard: SHAPES.picked, all: SHAPES.picked,
    implicit: SHAPES.required, "not evaluated": SHAPES.none,
});

function icon(state) {
    return s("svg", {class: `icon is-${state.replace(" ", "-")}`,
        viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true"},
    s("path", {d: SHAPES[state]}));
}

const badge = (state, word = state) => h("span",
    {class: `badge is-${state.replace(" ", "-")}`}, icon(state), word);

/* A count, and the list that it opens. */
function counter({key, count, word, state, open, toggle}) {
    return h("button", {type: "button", "data-key": key,
        class: count === 0 ? "counter zero" : "counter",
        "aria-expanded": open ? "true" : "false",
        "aria-controls": `list-${key.split("/")[0]}`, onclick: toggle},
    icon(state), h("strong", {}, String(count)), ` ${word}`);
}

const notEvaluated = (why) => h("p", {class: "not-evaluated"},
    badge("none", "Not evaluated"), ` ${why}`);

/* A segmented choice of two or three words. */
function segmented(legend, name, choices, chosen, choose) {
    return h("fieldset", {class: "segmented"}, h("legend", {}, legend),
        choices.map(([value, word]) => h("label", {},
            h("input", {type: "radio", name, value,
                checked: value === chosen, "data-key": `${name}-${value}`,
                onchange: () => choose(value)}),
            h("span", {}, word))));
}

function select(label, key, options, chosen, choose) {
    const element = h("select", {"data-key": key,
        onchange: () => choose(element.value)},
    options.map(([value, word]) =>
        h("option", {value, selected: value === chosen}, word)));
    return h("label", {class: "field"}, h("span", {}, label), element);
}
