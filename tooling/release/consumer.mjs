// A user of one package: an empty folder, plain npm, the README's own install line, the README's own code.
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import { tsBlocks } from "../readme/blocks.mjs";
import { run, succeed } from "./child.mjs";

/** Entries that begin a thread: they are what it runs, and nothing to import. */
const programs = new Set(["./thread"]);

/** A folder in which one package is used. */
export class Consumer {
  /**
   * @param {string} directory made when it is not there
   * @param {NodeJS.ProcessEnv} env with the registry and npm's cache
   */
  constructor(directory, env) {
    this.directory = directory;
    this.env = env;
    mkdirSync(directory, { recursive: true });
  }

  /** @param {string[]} words packages and options */
  async install(words) {
    const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
    await succeed("npm", ["install", ...quiet, ...words], { cwd: this.directory, env: this.env });
  }

  /** @param {string} name of an installed package */
  folderOf(name) {
    return join(this.directory, "node_modules", ...name.split("/"));
  }

  /** @param {string} name of an installed package */
  manifestOf(name) {
    return JSON.parse(readFileSync(join(this.folderOf(name), "package.json"), "utf8"));
  }

  /** @param {string} name of an installed package */
  readmeOf(name) {
    return readFileSync(join(this.folderOf(name), "README.md"), "utf8");
  }

  /**
   * The entries of a package, apart from those that need its optional peers: its claims and commands.
   *
   * @param {string} name
   * @returns {{ alone: string[], withPeers: string[], peers: string[] }}
   */
  entriesOf(name) {
    const { exports = {}, peerDependenciesMeta = {} } = this.manifestOf(name);
    const entries = Object.keys(exports).filter(
      (entry) => entry.startsWith(".") && !/\*|\.json$/.test(entry) && !programs.has(entry),
    );
    const needy = (/** @type {string} */ entry) => entry === "./claims" || entry === "./cli";
    return {
      alone: entries.filter((entry) => !needy(entry)),
      withPeers: entries.filter(needy),
      peers: Object.keys(peerDependenciesMeta),
    };
  }

  /**
   * Imports entries of a package as ES modules and through `require`; both must give the same names.
   *
   * @param {string} name
   * @param {string[]} entries such as "./claims"
   */
  async loadEntries(name, entries) {
    const specifiers = entries.map((entry) => name + entry.slice(1));
    const namesOf = "Object.keys(module).filter((key) => key !== 'module.exports' && key !== '__esModule').sort()";
    const lines = (/** @type {(specifier: string) => string} */ load) =>
      specifiers.map((each) => `{ const module = ${load(JSON.stringify(each))}; console.log(${namesOf}.join()); }`);
    const programs = [
      ["entries.mjs", lines((each) => `await import(${each})`)],
      ["entries.cjs", lines((each) => `require(${each})`)],
    ];
    const outputs = [];
    for (const [file, code] of programs) {
      writeFileSync(join(this.directory, String(file)), `${[code].flat().join("\n")}\n`);
      const { stdout } = await succeed(process.execPath, [String(file)], { cwd: this.directory, env: this.env });
      outputs.push(stdout);
    }
    if (outputs[0] !== outputs[1]) throw new Error(`import and require differ:\n${outputs.join("\n")}`);
    const empty = outputs[0].split("\n").slice(0, specifiers.length).indexOf("");
    if (empty >= 0) throw new Error(`${specifiers[empty]} exports nothing`);
  }

  /**
   * The README's blocks as modules in this folder, types taken off.
   *
   * @param {string} name
   * @returns {Promise<Array<{ path: string, code: string, shown: string }>>}
   */
  async readmeModules(name) {
    const blocks = tsBlocks(this.readmeOf(name)).filter((block) => block.run);
    return Promise.all(
      blocks.map(async ({ code: typescript, line }) => {
        // The export makes a module of a block that imports nothing, so that it may await.
        const options = { loader: /** @type {const} */ ("ts"), format: /** @type {const} */ ("esm"), target: "node20" };
        const { code } = await transform(`${typescript}\nexport {};\n`, options);
        const path = join(this.directory, `readme-${line}.mjs`);
        writeFileSync(path, code);
        return { path, code, shown: `README.md:${line}` };
      }),
    );
  }

  /**
   * Runs modules in Node, one after the other.
   *
   * @param {Array<{ path: string, shown: string }>} modules
   */
  async runInNode(modules) {
    if (modules.length === 0) return;
    const runner = fileURLToPath(new URL("../readme/run-blocks.mjs", import.meta.url));
    const args = [runner, ...modules.map(({ path }) => path)];
    const { results, stderr } = await run(process.execPath, args, { cwd: this.directory, env: this.env, seconds: 120 });
    const errors = new Map(
      results
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line))
        .map(({ path, error }) => [path, error]),
    );
    for (const { path, shown } of modules) {
      const error = errors.has(path) ? errors.get(path) : stderr.trim() || "did not end";
      if (error) throw new Error(`${shown}: ${error.split("\n").slice(0, 6).join("\n")}`);
    }
  }

  /**
   * Every copy of a package in the installed tree.
   *
   * @param {string} name
   * @returns {string[]}
   */
  copiesOf(name) {
    const found = new Set();
    const visit = (/** @type {string} */ modules) => {
      if (!existsSync(modules)) return;
      if (existsSync(join(modules, name, "package.json"))) found.add(realpathSync(join(modules, name)));
      for (const entry of readdirSync(modules)) {
        const packages = entry.startsWith("@") ? readdirSync(join(modules, entry)).map((x) => join(entry, x)) : [entry];
        for (const each of packages) visit(join(modules, each, "node_modules"));
      }
    };
    visit(join(this.directory, "node_modules"));
    return [...found];
  }
}
