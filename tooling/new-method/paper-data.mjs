// What a new method needs to know about its paper: from flags, or asked for on a terminal.
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { kindChoice, kinds } from "./kinds/kinds.mjs";

/** @typedef {"function" | "layer" | "optimizer" | "solver"} KindName */

/**
 * @typedef {object} PaperData
 * @property {string} slug name of the folder and of the package after `@offprint/`
 * @property {string} title
 * @property {string[]} authors
 * @property {number} year
 * @property {string | null} arxiv number on arXiv; null for a paper that is not there
 * @property {string} area
 * @property {string} task what one can do with it, in a few words that begin with a verb
 * @property {string} purpose a sentence that says for whom it is
 * @property {string} description what it does, a sentence
 * @property {KindName} kind what it begins as
 */

export const usage = `pnpm new-method <slug> [options]

  <slug>             lower-case words joined by hyphens: refined-schedules
  --title <text>     the paper's title
  --authors <names>  separated by semicolons: "Ada Lovelace; Charles Babbage"
  --year <year>      of the version that is implemented
  --arxiv <number>   2310.07831, or none
  --area <words>     where the method is listed
  --task <words>     what one can do with it, beginning with a verb: "Certify a network"
  --purpose <text>   a sentence that says for whom it is: "For people who ..."
  --description <text>  what it does, a sentence that names it: "Lion: Adam's pace by the sign of a mean alone."
  --kind <word>      ${Object.entries(kinds)
    .map(([name, { summary }]) => `${name}: ${summary}`)
    .join("\n                     ")}
  --core             a core package instead, which methods share; of these options it takes --description alone
  --no-install       leave the dependencies alone

What is left out is asked for on a terminal.`;

/** Something wrong with what was given, for the user to read. */
export class UsageError extends Error {}

const slugPattern = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const arxivPattern = /^(?:\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?\/\d{7})$/;

/**
 * Each answer with how to ask for it and how to read it.
 *
 * @type {Array<{ name: string, question: (areas: string[]) => string, read: (text: string) => unknown }>}
 */
const answers = [
  {
    name: "title",
    question: () => "Title of the paper",
    read: (text) => required(text, "the title is empty"),
  },
  {
    name: "authors",
    question: () => "Authors, separated by semicolons",
    read: (text) => {
      const names = text.split(";").map((name) => name.trim());
      return names.every(Boolean) ? names : fail("name the authors, separated by semicolons");
    },
  },
  {
    name: "year",
    question: () => "Year",
    read: (text) => {
      const year = Number(text);
      return Number.isInteger(year) && year > 1900 && year < 2200 ? year : fail(`"${text}" is not a year`);
    },
  },
  {
    name: "arxiv",
    question: () => "Number on arXiv, such as 2310.07831, or none",
    read: (text) => {
      if (text === "none") return null;
      return arxivPattern.test(text) ? text : fail(`"${text}" is not a number on arXiv; give 2310.07831 or none`);
    },
  },
  {
    name: "area",
    question: (areas) => `Area${areas.length > 0 ? ` (so far: ${areas.join(", ")})` : ""}`,
    read: (text) => required(text, "the area is empty"),
  },
  {
    name: "task",
    question: () => 'What can one do with it? A few words that begin with a verb, such as "Certify a network"',
    read: (text) => required(text, "the task is empty"),
  },
  {
    name: "purpose",
    question: () => 'For whom is it? A sentence: "For people who ..."',
    read: (text) => (/^For .*\.$/.test(text) ? text : fail('the purpose is a sentence that begins with "For"')),
  },
  {
    name: "description",
    question: () => "What does it do? A sentence that names it",
    read: sentence,
  },
  {
    name: "kind",
    question: () => `Kind: ${kindChoice}`,
    read: (text) =>
      Object.hasOwn(kinds, text) ? text : fail(`"${text}" is no kind; give ${Object.keys(kinds).join(", ")}`),
  },
];

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  throw new UsageError(message);
}

/**
 * @param {string} text
 * @param {string} message
 */
function required(text, message) {
  return text === "" ? fail(message) : text;
}

/** A description with one full stop. @param {string} text */
function sentence(text) {
  return `${required(text, "the description is empty").replace(/\.$/, "")}.`;
}

/**
 * Reads the command line.
 *
 * @param {string[]} args
 * @returns {{ help: boolean, core: boolean, install: boolean, slug: string, given: Record<string, string> }}
 */
export function readArguments(args) {
  const text = /** @type {const} */ ({ type: "string" });
  const flag = /** @type {const} */ ({ type: "boolean" });
  const options = {
    title: text,
    authors: text,
    year: text,
    arxiv: text,
    area: text,
    task: text,
    purpose: text,
    kind: text,
    description: text,
    core: flag,
    help: flag,
    "no-install": flag,
  };
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const { help = false, core = false, "no-install": noInstall = false, ...given } = values;
    if (help) return { help, core, install: false, slug: "", given: {} };
    const [slug = fail("which method? Give its slug"), ...rest] = positionals;
    if (rest.length > 0) fail(`one slug at a time; "${rest.join(" ")}" is too much`);
    if (!slugPattern.test(slug)) fail(`"${slug}" is not a slug: lower-case words joined by hyphens`);
    const foreign = core ? Object.keys(given).filter((name) => name !== "description") : [];
    if (foreign.length > 0) fail(`a core package has no ${foreign.map((name) => `--${name}`).join(", ")}`);
    return { help, core, install: !noInstall, slug, given: /** @type {Record<string, string>} */ ({ ...given }) };
  } catch (error) {
    // Node's own message about an unknown option is good enough.
    throw error instanceof UsageError ? error : new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Completes the paper's data.
 *
 * @param {string} slug
 * @param {Record<string, string>} given by flags
 * @param {string[]} areas those in use
 * @param {((question: string) => Promise<string>) | undefined} ask nothing where nobody can be asked
 * @returns {Promise<PaperData>}
 */
export async function completeData(slug, given, areas, ask) {
  const missing = answers.filter(({ name }) => given[name] === undefined);
  if (missing.length > 0 && !ask) fail(`give ${missing.map(({ name }) => `--${name}`).join(", ")}`);
  /** @type {Record<string, unknown>} */
  const data = { slug };
  for (const { name, question, read } of answers) {
    if (given[name] !== undefined) {
      data[name] = read(given[name].trim());
      continue;
    }
    while (data[name] === undefined) {
      const answer = await ask?.(`${question(areas)}: `);
      try {
        data[name] = read((answer ?? "").trim());
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        console.log(`  ${error.message}`);
      }
    }
  }
  return /** @type {PaperData} */ (/** @type {unknown} */ (data));
}

/**
 * What a core package is for.
 *
 * @param {Record<string, string>} given by flags
 * @param {((question: string) => Promise<string>) | undefined} ask nothing where nobody can be asked
 * @returns {Promise<string>} a sentence
 */
export async function coreDescription({ description }, ask) {
  if (description === undefined && !ask) fail("give --description");
  return sentence((description ?? (await ask?.("What is it for? A sentence: ")) ?? "").trim());
}

/** A way to ask the person at the terminal, or nothing when there is none. */
export function terminal() {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return { ask: undefined, close: () => {} };
  const reader = createInterface({ input: process.stdin, output: process.stdout });
  return { ask: (/** @type {string} */ question) => reader.question(question), close: () => reader.close() };
}
