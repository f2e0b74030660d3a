// The rehearsal: release to a throw-away registry, then use every package from there as a stranger would.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installLines } from "../readme/install-lines.mjs";
import { build } from "../setup/setup.mjs";
import { measure } from "../size/size.mjs";
import { problemsOf } from "../suite/stages/published.mjs";
import { plainEnvironment, run, succeed } from "./child.mjs";
import { Consumer } from "./consumer.mjs";
import { importMap } from "./import-map.mjs";
import { configuredRegistry, installRegistry, startRegistry } from "./local-registry.mjs";
import { Browser, bundle, runsInPage } from "./page.mjs";
import { copyTree, pnpmIn, publicPackages, publishTo, raiseVersions } from "./release-tree.mjs";
import { Absent, inParallel, Steps } from "./steps.mjs";
import { contentProblems, readTarball, tarballPath } from "./tarball.mjs";

/** @typedef {import("../checks/repository.mjs").Package} Package */

const core = "@offprint/tensor-core";
/** The versions of Node that are promised, beside the one that runs this. */
const otherNodes = [22, 24, 26].filter((version) => !process.version.startsWith(`v${version}.`));

/**
 * @param {string} root of the repository
 * @param {{ keep?: boolean, only?: string[] }} [options] `keep` leaves the folder; `only` uses these packages' slugs
 * @returns {Promise<Steps>}
 */
export async function rehearse(root, { keep = false, only = [] } = {}) {
  const rehearsal = new Rehearsal(root, only);
  try {
    await rehearsal.perform();
  } finally {
    await rehearsal.end(keep);
  }
  return rehearsal.steps;
}

class Rehearsal {
  /**
   * @param {string} root
   * @param {string[]} only
   */
  constructor(root, only) {
    this.root = root;
    this.only = only;
    this.steps = new Steps();
    this.cache = join(root, "node_modules", ".cache", "offprint", "release");
    this.folder = mkdtempSync(join(tmpdir(), "offprint-rehearsal-"));
    this.copy = join(this.folder, "tree");
    /** @type {Package[]} */
    this.packages = [];
    /** @type {Map<string, Consumer>} */
    this.consumers = new Map();
    /** @type {Array<() => Promise<void>>} */
    this.endings = [];
  }

  async perform() {
    const uplink = await configuredRegistry();
    await this.steps.run("get verdaccio", () => this.prepareCache());
    if (!this.script || !(await this.release(uplink, this.script))) return;
    await this.steps.run("tarballs: contents, publint, are-the-types-wrong", () => this.judgeTarballs());
    await this.steps.run("open Chromium", () => this.openBrowser());
    await inParallel(this.uses(), 2, (use) => use());
    await this.steps.run("size budgets of what was installed", () => this.measureSizes());
  }

  /** Everything that a stranger does with the packages; none needs another. */
  uses() {
    const used = this.packages.filter(({ kind, slug }) => kind !== "app" && this.isUsed(slug));
    const place = (/** @type {Package} */ { slug, kind }) => (slug === "diffgrad" ? 0 : kind === "method" ? 1 : 2);
    used.sort((a, b) => place(a) - place(b));
    const packages = used.map((pkg) => () => this.steps.run(`use ${pkg.name}`, () => this.usePackage(pkg)));
    const command = async () => {
      await this.steps.run("npx offprint list", () => this.listByNpx());
      await this.steps.run("reproduce without optional packages", () => this.reproduceLean());
      await this.steps.run("onnx-runtime without its binding", () => this.runtimeWithoutBinding());
      await this.steps.run("use in Bun, Deno and other Nodes", () => this.useOtherRuntimes());
    };
    return this.isUsed("cli") ? [command, ...packages] : packages;
  }

  /** @param {string} slug */
  isUsed(slug) {
    return this.only.length === 0 || this.only.includes(slug);
  }

  async prepareCache() {
    mkdirSync(this.cache, { recursive: true });
    // What npx has kept of an earlier rehearsal would be run in place of this one's.
    rmSync(join(this.cache, "npm", "_npx"), { recursive: true, force: true });
    this.script = await installRegistry(this.cache);
  }

  /**
   * @param {string} uplink
   * @param {string} script
   * @returns {Promise<boolean>} whether everything is published
   */
  async release(uplink, script) {
    const before = { npm_config_registry: uplink };
    return this.sequence([
      ["copy the tree", async () => `${await copyTree(this.root, this.copy)} files`],
      [
        "install",
        async () => void (await pnpmIn(this.copy, ["install", "--frozen-lockfile", "--prefer-offline"], before)),
      ],
      ["build", async () => this.build()],
      ["changeset version", () => this.raiseVersions(before)],
      ["start the registry", () => this.startRegistry(script, uplink)],
      ["changeset publish", () => this.publish()],
    ]);
  }

  /**
   * Steps of which each needs the one before.
   *
   * @param {Array<[string, () => Promise<unknown>]>} steps
   */
  async sequence(steps) {
    for (const [name, work] of steps) {
      await this.steps.run(name, work);
      if (this.steps.done.at(-1)?.error) return false;
    }
    return true;
  }

  /**
   * Builds what is published. No build reads a version.
   */
  build() {
    const names = publicPackages(this.copy).map(({ name }) => name);
    build(names, this.copy);
    return `${names.length} packages`;
  }

  /** @param {Record<string, string>} env */
  async raiseVersions(env) {
    const detail = await raiseVersions(this.copy, env);
    this.packages = publicPackages(this.copy);
    return detail;
  }

  /**
   * @param {string} script
   * @param {string} uplink
   */
  async startRegistry(script, uplink) {
    const folder = join(this.folder, "registry");
    mkdirSync(folder);
    const { url, storage, stop } = await startRegistry(script, folder, uplink);
    this.endings.push(stop);
    this.url = url;
    this.storage = storage;
  }

  /** Plain npm that knows this registry and keeps its cache to itself. */
  environment() {
    const settings = { npm_config_registry: this.url ?? "", npm_config_cache: join(this.cache, "npm") };
    // The script of onnxruntime-node would download CUDA libraries.
    return plainEnvironment({ ...settings, ONNXRUNTIME_NODE_INSTALL: "skip", npm_config_update_notifier: "false" });
  }

  async publish() {
    await publishTo(this.copy, this.url ?? "");
    return `${this.packages.length} packages`;
  }

  async judgeTarballs() {
    let total = 0;
    const problems = [];
    for (const pkg of this.packages) {
      const path = tarballPath(this.storage ?? "", pkg.name, pkg.manifest.version);
      const { bytes, names } = readTarball(path);
      total += bytes;
      const found = [...contentProblems(names, pkg.kind !== "app"), ...(await problemsOf(path, pkg))];
      problems.push(...found.map((problem) => `${pkg.name}: ${problem}`));
    }
    if (problems.length > 0) throw new Error(`${problems.length} problems\n${problems.join("\n")}`);
    return `${this.packages.length} tarballs, ${Math.round(total / 1000)} kB together`;
  }

  async openBrowser() {
    this.browser = await Browser.open();
    this.endings.push(() => this.browser?.close() ?? Promise.resolve());
    return `version ${this.browser.browser.version()}`;
  }

  /** @param {Package} pkg */
  async usePackage({ name, slug, manifest }) {
    const consumer = new Consumer(join(this.folder, "consumers", slug), this.environment());
    const readme = readFileSync(join(this.copy, manifest.repository.directory, "README.md"), "utf8");
    const [words = [], ...more] = installLines(readme);
    if (!words.includes(name)) throw new Error(`README.md: the Install section has no line "npm install ${name}"`);
    await consumer.install(words);
    this.consumers.set(name, consumer);
    const { version } = consumer.manifestOf(name);
    if (version !== manifest.version) throw new Error(`version ${version} was installed, not ${manifest.version}`);
    const copies = consumer.copiesOf(core);
    if (copies.length !== 1) throw new Error(`${copies.length} copies of ${core}:\n${copies.join("\n")}`);
    const { alone, withPeers, peers } = consumer.entriesOf(name);
    await consumer.loadEntries(name, alone);
    for (const line of more) await consumer.install(line);
    const modules = await consumer.readmeModules(name);
    await consumer.runInNode(modules);
    const forPages = modules.filter(({ code }) => runsInPage(code));
    const bundles = await bundle(consumer.directory, forPages);
    await this.browser?.run(bundles);
    const unbundled = await this.useUnbundled(consumer, name, forPages);
    const inPages = this.browser ? bundles.length : 0;
    if (withPeers.length > 0) {
      await consumer.install(peers);
      await consumer.loadEntries(name, withPeers);
    }
    return `entries ${alone.length + withPeers.length}, README blocks in Node ${modules.length}, in Chromium ${inPages}, without a bundler ${unbundled}`;
  }

  /**
   * The README's code in pages that have no bundler, where everything it imports is in the package's import map.
   *
   * @param {Consumer} consumer
   * @param {string} name
   * @param {Array<{ code: string }>} modules
   */
  async useUnbundled(consumer, name, modules) {
    const manifest = (/** @type {string} */ each) => consumer.manifestOf(each);
    const imports = importMap(name, manifest, (each) => `node_modules/${each.name}`);
    const codes = modules.map(({ code }) => code);
    const names = (/** @type {string} */ code) => [...code.matchAll(/from\s*"([^"]+)"/g)].map(([, each]) => each);
    const able = codes.filter((code) => names(code).every((each) => each in imports));
    const { alone } = consumer.entriesOf(name);
    const entry = alone.map((each) => name + each.slice(1)).filter((each) => each in imports);
    const loading = entry.map((each) => `await import(${JSON.stringify(each)});`).join("\n");
    await this.browser?.runUnbundled(consumer.directory, imports, loading ? [loading, ...able] : able);
    return this.browser ? able.length : 0;
  }

  /** Other runtimes, and the other Nodes: the README's code of the first method, a reproduction, and `doctor`. */
  async useOtherRuntimes() {
    const consumer = new Consumer(join(this.folder, "consumers", "runtimes"), this.environment());
    const method = this.packages.find(({ slug }) => slug === "diffgrad");
    if (!method) throw new Absent("needs @offprint/diffgrad");
    await consumer.install([
      ...(installLines(readFileSync(join(this.copy, method.folder, "README.md"), "utf8"))[0] ?? []),
      "offprint",
    ]);
    const system = process.platform === "win32" ? "win" : process.platform;
    const nodes = otherNodes.map((version) => `node${version}@npm:node-${system}-${process.arch}@${version}`);
    await consumer.install(["bun", "deno", ...nodes]).catch((/** @type {Error} */ error) => {
      throw new Absent(`needs bun, deno and Node's binaries from npm (${error.message.split("\n")[0]})`);
    });
    const modules = await consumer.readmeModules(method.name);
    const program = join(consumer.folderOf("offprint"), "dist", "bin.js");
    const installed = (/** @type {string[]} */ ...path) => join(consumer.directory, "node_modules", ...path);
    const versions = [];
    for (const [runtime, command, ...args] of [
      ["bun", installed(".bin", "bun")],
      ["deno", installed(".bin", "deno"), "run", "-A", "--node-modules-dir=manual"],
      ...otherNodes.map((version) => ["node", installed(`node${version}`, "bin", "node")]),
    ]) {
      const options = { cwd: consumer.directory, env: consumer.env };
      for (const { path } of modules) await succeed(command, [...args, path], options);
      await succeed(command, [...args, program, "reproduce", method.slug, "--device", "host"], options);
      const { stdout } = await succeed(command, [...args, program, "doctor"], options);
      const version = new RegExp(`^ *${runtime} +(\\S+)`, "m").exec(stdout)?.[1];
      if (!version) throw new Error(`doctor does not name ${runtime}:\n${stdout}`);
      versions.push(`${runtime} ${version}`);
    }
    return versions.join(", ");
  }

  async measureSizes() {
    const packages = this.packages.flatMap((pkg) => {
      const directory = this.consumers.get(pkg.name)?.directory;
      return directory ? [{ ...pkg, directory }] : [];
    });
    const rows = await measure({ root: this.copy, packages: this.packages }, packages);
    const over = rows.filter(({ bytes, limit }) => bytes > limit);
    const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} kB`;
    const lines = over.map(({ title, bytes, limit }) => `${title}: ${kilobytes(bytes)} of ${kilobytes(limit)}`);
    if (over.length > 0) throw new Error(`over budget\n${lines.join("\n")}`);
    return `${rows.length} within budget`;
  }

  methods() {
    return this.packages.filter(({ kind }) => kind === "method").map(({ slug }) => slug);
  }

  async listByNpx() {
    const cwd = join(this.folder, "consumers", "npx");
    mkdirSync(cwd, { recursive: true });
    const { stdout } = await succeed("npx", ["--yes", "offprint", "list"], { cwd, env: this.environment() });
    const missing = this.methods().filter((slug) => !new RegExp(`^ *${slug} `, "m").test(stdout));
    if (missing.length > 0) throw new Error(`does not list ${missing.join(", ")}:\n${stdout}`);
    return `${this.methods().length} methods`;
  }

  async reproduceLean() {
    const lean = new Consumer(join(this.folder, "consumers", "lean"), this.environment());
    await lean.install(["--omit=optional", "offprint"]);
    this.lean = lean;
    if (lean.copiesOf("onnxruntime-node").length > 0) throw new Error("onnxruntime-node was installed all the same");
    const slug = this.methods().includes("diffgrad") ? "diffgrad" : this.methods()[0];
    if (!slug) throw new Absent("needs a method package");
    const program = join(lean.folderOf("offprint"), "dist", "bin.js");
    const options = { cwd: lean.directory, env: lean.env };
    const { code, stdout, stderr } = await run(process.execPath, [program, "reproduce", slug], options);
    if (code !== 0) throw new Error(`offprint reproduce ${slug}: exit code ${code}\n${stdout}\n${stderr}`);
    const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => /onnx/i.test(line));
    const clear = lines.length === 1 && /npm install @offprint\/onnx-runtime.*on the host/.test(lines[0]);
    if (!clear) throw new Error(`expected one line that says how to get the fast path:\n${lines.join("\n")}`);
    return lines[0].trim();
  }

  async runtimeWithoutBinding() {
    if (!this.lean) throw new Error("needs the folder of the step before");
    await this.lean.install(["--omit=optional", "@offprint/onnx-runtime"]);
    const code = `import { onnxRuntime } from "@offprint/onnx-runtime";
      await onnxRuntime({ device: "cpu" }).then(
        () => { throw new Error("a backend opened without its binding"); },
        (error) => console.log(error.name + ": " + error.message));`;
    const options = { cwd: this.lean.directory, env: this.lean.env };
    const { stdout } = await succeed(process.execPath, ["--input-type=module", "--eval", code], options);
    if (!/npm install onnxruntime-node/.test(stdout)) throw new Error(`no remedy in: ${stdout}`);
    return stdout.trim().split(/(?<=\.) /)[0];
  }

  /** @param {boolean} keep */
  async end(keep) {
    for (const ending of this.endings.reverse()) await ending().catch((error) => console.error(String(error)));
    if (keep) console.log(`kept: ${this.folder}`);
    else rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
