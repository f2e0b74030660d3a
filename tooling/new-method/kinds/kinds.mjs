// The kinds of methods: each begins as the simplest method of its kind, which works, passes its suite and has a claim.
import { formula } from "./function.mjs";
import { layer } from "./layer.mjs";
import { optimizer } from "./optimizer.mjs";
import { solver } from "./solver.mjs";

/** @typedef {{ slug: string, camel: string, pascal: string }} Names */
/** @typedef {import("../paper-data.mjs").PaperData} PaperData */

/**
 * What is different from kind to kind. Texts are TypeScript, but for what is said.
 *
 * @typedef {object} Kind
 * @property {string} summary in a few words, for the one who chooses
 * @property {string[]} dependencies core packages that the source imports, beside tensor-core
 * @property {string[]} tested core packages that tests import, beside the claims' kit
 * @property {(pascal: string) => string[]} types that the package exports
 * @property {(names: Names, paper: PaperData) => string} source
 * @property {(names: Names, paper: PaperData) => string} usage in the README
 * @property {Array<[name: string, standard: string, meaning: string]>} options rows of the README
 * @property {(names: Names) => { imports: string, method: string, body: string }} claim the type of a method, and `run`
 * @property {(names: Names) => [what: string, code: string]} broken a variant for which the claim does not hold
 * @property {(names: Names) => [what: string, body: string]} rejection a test of bad input
 * @property {string} [rejectionImports] what it imports
 * @property {(names: Names) => { imports: string, body: string }} [lasting] tests that stay true of the paper's method
 * @property {(names: Names) => string} [conformance] the test file that hands it to the suite of its kind
 * @property {(names: Names, paper: PaperData) => string} bench
 * @property {(names: Names, paper: PaperData) => string} playground below its comment
 */

/** @type {Record<import("../paper-data.mjs").KindName, Kind>} */
export const kinds = { function: formula, layer, optimizer, solver };

/** What there is to choose from, for messages. */
export const kindChoice = Object.entries(kinds)
  .map(([name, { summary }]) => `${name} (${summary})`)
  .join(", ");
