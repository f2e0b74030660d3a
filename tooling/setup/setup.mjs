// Brings a clone to the state in which everything can run: dependencies installed, packages built.
// It runs before anything is installed, so it uses Node's builtins only.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readRepository } from "../checks/repository.mjs";
import { fingerprints } from "../suite/fingerprint.mjs";
import { exclusively } from "./exclusively.mjs";
import { buildPages } from "./pages.mjs";

/** Absolute path of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

const oldestNode = [20, 19];

/** Environment for every child process: no telemetry, no update notices. */
export const quietEnvironment = {
  ...process.env,
  DO_NOT_TRACK: "1",
  NO_UPDATE_NOTIFIER: "1",
};

/** A failure of the set-up, with what to do about it. */
export class SetupError extends Error {}

/**
 * Runs the pnpm version that package.json names, through npm: nothing has to be installed globally.
 *
 * @param {string[]} args arguments of pnpm
 * @param {{ capture?: boolean }} [options] `capture` collects the output instead of showing it
 * @returns {{ status: number, output: string }}
 */
export function pnpm(args, { capture = false } = {}) {
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const npm = process.env.npm_execpath ?? "";
  const viaNpm = ["exec", "--yes", `--package=${packageManager}`, "--", "pnpm", ...args];
  // npm tells its children where its own script is; running that script avoids a shell and its quoting.
  const [command, commandArgs] = /npm-cli\.c?js$/.test(npm) ? [process.execPath, [npm, ...viaNpm]] : ["npm", viaNpm];
  const result = spawnSync(command, commandArgs, {
    cwd: root,
    env: quietEnvironment,
    encoding: "utf8",
    stdio: capture ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    shell: command === "npm" && process.platform === "win32",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.error) throw new SetupError(`npm could not be started: ${result.error.message}. Install npm beside Node.`);
  return { status: result.status ?? 1, output: `${result.stdout ?? ""}${result.stderr ?? ""}` };
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < oldestNode[0] || (major === oldestNode[0] && minor < oldestNode[1])) {
    throw new SetupError(`Node ${process.versions.node} is too old: Offprint needs Node >= ${oldestNode.join(".")}.`);
  }
}

/** Folder of what test runs keep of the modules they have transformed. */
export const moduleCache = join(root, "node_modules", ".cache", "offprint", "modules");

/** Every file that decides what an install gives. */
function manifests() {
  const workspaces = ["packages/core", "packages/methods", "apps", "tooling"];
  const nested = workspaces.flatMap((folder) => {
    const path = join(root, folder);
    if (!existsSync(path)) return [];
    return readdirSync(path).map((name) => join(path, name, "package.json"));
  });
  const top = ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml"].map((name) => join(root, name));
  return [...top, ...nested].filter((path) => existsSync(path)).sort();
}

/** Changes with whatever decides what an install gives, or what an import of a package means. */
export function installFingerprint() {
  const hash = createHash("sha256").update(`${process.version} ${process.platform} ${process.arch} ${root}`);
  for (const path of manifests()) hash.update(path).update(readFileSync(path));
  return hash.digest("hex");
}

/** Installs the locked dependencies; does nothing when they are there already. */
function install() {
  const stamp = join(root, "node_modules", ".cache", "offprint", "installed");
  const fingerprint = installFingerprint();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint) return;
  console.log("Installing dependencies ...");
  const frozen = ["install", "--frozen-lockfile", "--config.confirmModulesPurge=false", "--reporter=append-only"];
  const { status, output } = pnpm(frozen, { capture: true });
  if (status !== 0) {
    throw new SetupError(
      `${output.trim()}\n\nThe dependencies could not be installed. If a package.json changed, update the lock file: ` +
        "npx pnpm@12 install --no-frozen-lockfile",
    );
  }
  rmSync(moduleCache, { recursive: true, force: true, maxRetries: 5 });
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, fingerprint);
}

/**
 * The packages that are built.
 *
 * @param {string} [at] root of the checkout
 */
export function builtPackages(at = root) {
  return readRepository(at).packages.filter(({ directory, manifest }) => {
    return manifest.scripts?.build && existsSync(join(directory, "tsconfig.json"));
  });
}

/**
 * Builds packages with what they depend on: one compiler for all, which skips what has not changed. Types are not
 * checked on the way; `npm test` checks those of sources, tests and examples together.
 *
 * @param {string[]} [names] of packages; all when left out
 * @param {string} [at] root of the checkout
 * @returns {string} what the compiler said
 */
export function build(names = [], at = root) {
  const all = builtPackages(at);
  const named = names.map((name) => {
    const found = all.find((project) => [name, `@offprint/${name}`].includes(project.name));
    if (found === undefined)
      throw new SetupError(
        `There is no package ${name} to build; give names as in package.json, with or without @offprint/.`,
      );
    return found;
  });
  const projects = names.length === 0 ? all : named;
  const compiler = join(at, "node_modules", "typescript", "bin", "tsc");
  const args = [compiler, "-b", "--noCheck", ...projects.map(({ directory }) => directory)];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: at, encoding: "utf8" });
  if (status !== 0) throw new SetupError(`${stdout}${stderr}\nThe build failed.`);
  buildPages(projects, at);
  return stdout;
}

/** Builds the documentation site, unless nothing that it shows has changed since; one process at a time. */
export function buildSite() {
  return exclusively(join(root, "apps", "docs", "dist", "site.lock"), buildSiteAlone);
}

function buildSiteAlone() {
  build(["@offprint/docs"]);
  const app = join(root, "apps", "docs", "dist");
  const stamp = join(app, "site-of");
  const key = fingerprints(readRepository(root)).ofSite(`site ${process.env.OFFPRINT_DOCS_BASE ?? ""}`);
  if (existsSync(join(app, "site", "index.html")) && existsSync(stamp) && readFileSync(stamp, "utf8") === key)
    return "";
  const generator = join(app, "generator", "build.js");
  // Most of what a build makes is short-lived: with room for it, less is copied about.
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--max-semi-space-size=64", generator], {
    cwd: root,
    encoding: "utf8",
    env: quietEnvironment,
  });
  if (status !== 0) throw new SetupError(`${stdout}${stderr}\nThe site could not be built.`);
  writeFileSync(stamp, key);
  return stdout;
}

/** Checks Node and installs: the part that both commands share. */
export function setUp() {
  checkNode();
  install();
}
