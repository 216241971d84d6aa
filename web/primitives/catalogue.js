/* catalogue.js: names and structure of the data, by the engine's indexes.
 * Knows engine.js for its words. */

/* Sections of the data set and the words of a record. */
const DATA = [
    ["primitives", 1], ["edges", 4], ["items", 2], ["algorithms", 4],
    ["profiles", 3], ["choices", 2], ["standards", 5], ["requirements", 6],
    ["mappings", 5], ["parts", 4], ["features", 6], ["list", 1],
];

function indexOf(entries) {
    return new Map(entries.map((entry, index) => [entry.id, index]));
}

class Catalogue {
    constructor(names) {
        Object.assign(this, names);
        this.words = wordsOf(bytesOf(names.words));
        this.records = {};
        DATA.forEach(([name, width], section) => {
            const first = this.words[3 + 2 * section];
            this.records[name] = Array.from(
                {length: this.words[4 + 2 * section]}, (_, i) =>
                    this.words.slice(first + i * width,
                        first + (i + 1) * width));
        });
        this.byId = {};
        for (const table of ["primitives", "algorithms", "standards",
            "parts"]) {
            this.byId[table] = indexOf(this[table]);
        }
        this.requirementIndexes = this.standards.map((_, standard) =>
            new Map(this.requirementsOf(standard).map((index) =>
                [this.requirements[index].id, index])));
    }

    find(table, id) {
        return this.byId[table].get(id);
    }

    requirementsOf(standard) {
        const [first, count] = this.records.standards[standard];
        return Array.from({length: count}, (_, i) => first + i);
    }

    requirement(standard, id) {
        const index = this.find("standards", standard);
        return index === undefined ? undefined
            : this.requirementIndexes[index].get(id);
    }

    standardOf(requirement) {
        return this.records.requirements[requirement][0];
    }

    /* The edges as {from, to, mandatory, conditional, models}. */
    edge(index) {
        const [from, to, flags, models] = this.records.edges[index];
        return {from, to, mandatory: (flags & 1) !== 0,
            conditional: (flags & 2) !== 0, models, ...{
                section: this.edges[index].section,
                rationale: this.edges[index].rationale}};
    }

    cost(part) {
        return this.records.parts[part][0];
    }

    levels(standard) {
        const {levels} = this.standards[standard];
        return levels === undefined ? [] : levels.values;
    }

    types(standard) {
        return this.standards[standard].types || [];
    }

    groups(standard) {
        return this.standards[standard].groups || [];
    }
}
