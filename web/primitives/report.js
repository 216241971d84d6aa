/* report.js: everything on paper. On the screen it is not there. Knows
 * dom.js. */

class PaperReport {
    constructor(app, element) {
        this.app = app;
        this.element = element;
        const draw = () => this.draw();
        window.addEventListener("beforeprint", draw);
        window.matchMedia("print").addEventListener("change", draw);
    }

    name(id) {
        const {catalogue} = this.app;
        return catalogue.primitives[catalogue.find("primitives", id)].name;
    }

    part(id) {
        const {catalogue} = this.app;
        return catalogue.parts[catalogue.find("parts", id)].name;
    }

    draw() {
        const {document: evaluated, source} = this.app;
        const useCase = source.use_case || {};
        this.element.replaceChildren(
            h("h1", {}, useCase.title || "Security primitives"),
            useCase.description ? h("p", {}, useCase.description) : "",
            h("p", {class: "hint"}, this.settings()),
            ...evaluated === null
                ? [notEvaluated("Nothing was picked or chosen.")]
                : [this.primitives(evaluated.phase1),
                    ...this.standards(evaluated.phase2.standards),
                    this.system(evaluated.phase3), this.closing()]);
    }

    settings() {
        const {project} = this.app;
        return `Printed ${new Date().toISOString().slice(0, 10)}. ` +
            `Reading: ${READINGS[project.interoperable]}; confidence from ` +
            `${CONFIDENCES[project.minConfidence]}; edges of the ` +
            `${MODELS[project.model]}.`;
    }

    table(caption, heads, rows) {
        return h("table", {}, h("caption", {}, caption),
            h("thead", {}, h("tr", {}, heads.map((head) =>
                h("th", {scope: "col"}, head)))),
            h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell) =>
                h("td", {}, cell))))));
    }

    primitives({applicable}) {
        return this.table("Primitives", ["Primitive", "Origin", "Path"],
            applicable.map(({primitive, origin, path}) =>
                [this.name(primitive), origin,
                    path.map((id) => this.name(id)).join(" › ")]));
    }

    standards(standards) {
        return standards.length === 0
            ? [notEvaluated("No standard was chosen.")]
            : standards.map((one) => this.table(
                `${this.title(one.standard)}: ${one.count_unique} covered, ` +
                `${one.count_uncovered} uncovered, ` +
                `${one.excluded.length} excluded`,
                ["Requirement", "Title", "State", "Through"],
                one.rows.map((row) => [row.requirement, row.title,
                    row.status, this.through(row)])));
    }

    title(id) {
        const {catalogue} = this.app;
        return catalogue.standards[catalogue.find("standards", id)].title;
    }

    through({argument, links}) {
        return argument !== "" ? argument
            : links.map(({primitive, applicable, confidence, layer}) =>
                `${this.name(primitive)} (${confidence}, ${layer}` +
                `${applicable ? "" : ", not on the list"})`).join("; ");
    }

    system({platforms, rows}) {
        return platforms.length === 0
            ? notEvaluated("No part was chosen.")
            : this.table(`Parts: ${platforms.map((id) =>
                this.part(id)).join(", ")}`,
            ["Primitive", "State", "Features", "Algorithms"],
            rows.map((row) => [this.name(row.primitive), row.status,
                row.features.join("; "), row.algorithms.map((one) =>
                    `${one.algorithm}: ${one.status}`).join("; ")]));
    }

    closing() {
        const {closing} = this.app;
        return closing === null ? "" : this.table("Closing the gaps",
            ["Price (no currency)", "Parts to add"],
            setsToShow(closing).map(({cents, parts}) =>
                [money(cents), parts.map((id) => this.part(id)).join(" + ") ||
                    "none"]));
    }
}
