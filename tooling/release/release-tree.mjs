// The tree that is released: a copy of this one, so that raising versions and building change nothing here.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { readRepository } from "../checks/repository.mjs";
import { plainEnvironment, succeed } from "./child.mjs";

/**
 * Copies what git tracks or would track, uncommitted changes included, and makes it a repository of one commit:
 * changesets asks git which commit brought a changeset.
 *
 * @param {string} root
 * @param {string} copy folder that does not exist yet
 * @returns {Promise<number>} how many files
 */
export async function copyTree(root, copy) {
  const git = { cwd: root, env: process.env };
  const { stdout } = await succeed("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], git);
  const paths = [...new Set(stdout.split("\0"))].filter((path) => path && existsSync(join(root, path)));
  for (const path of paths) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(root, path), join(copy, path), { verbatimSymlinks: true });
  }
  const inCopy = { cwd: copy, env: plainEnvironment() };
  const author = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost", "-c", "commit.gpgsign=false"];
  await succeed("git", ["init", "-q", "-b", "main"], inCopy);
  await succeed("git", ["add", "-A"], inCopy);
  await succeed("git", [...author, "commit", "-q", "-m", "The tree as it is"], inCopy);
  return paths.length;
}

/**
 * Runs the pinned pnpm inside the copy.
 *
 * @param {string} copy
 * @param {string[]} args
 * @param {Record<string, string>} env `npm_config_registry` among them
 */
export function pnpmIn(copy, args, env) {
  const { packageManager } = JSON.parse(readFileSync(join(copy, "package.json"), "utf8"));
  const quiet = { DO_NOT_TRACK: "1", TURBO_TELEMETRY_DISABLED: "1", TURBO_NO_UPDATE_NOTIFIER: "1" };
  return succeed("npm", ["exec", "--yes", `--package=${packageManager}`, "--", "pnpm", ...args], {
    cwd: copy,
    env: plainEnvironment({ ...quiet, ...env }),
    seconds: 600,
  });
}

/**
 * The packages that get published.
 *
 * @param {string} root
 */
export function publicPackages(root) {
  return readRepository(root).packages.filter(({ manifest }) => !manifest.private);
}

/**
 * Raises versions as the release workflow would. One more changeset makes sure that every package gets a new version.
 *
 * @param {string} copy
 * @param {Record<string, string>} env
 * @returns {Promise<string>} what happened, in a few words
 */
export async function raiseVersions(copy, env) {
  const before = publicPackages(copy);
  const lines = before.map(({ name }) => `"${name}": patch`);
  writeFileSync(join(copy, ".changeset", "rehearsal.md"), `---\n${lines.join("\n")}\n---\n\nRehearsed.\n`);
  await pnpmIn(copy, ["exec", "changeset", "version"], env);
  const after = new Map(publicPackages(copy).map(({ name, manifest }) => [name, manifest.version]));
  const unchanged = before.filter(({ name, manifest }) => after.get(name) === manifest.version);
  if (unchanged.length > 0) throw new Error(`no new version: ${unchanged.map(({ name }) => name).join(", ")}`);
  const silent = before.filter(({ folder }) => !existsSync(join(copy, folder, "CHANGELOG.md")));
  if (silent.length > 0) throw new Error(`no CHANGELOG.md: ${silent.map(({ name }) => name).join(", ")}`);
  return `${before.length} packages, each with a change log`;
}
