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
 * Publishes to a registry on this machine and to nowhere else: the user's own settings and tokens are out of sight,
 * and pnpm must agree about the address before anything is sent.
 *
 * @param {string} copy
 * @param {string} url of the registry
 */
export async function publishTo(copy, url) {
  if (!/^http:\/\/127\.0\.0\.1:\d+\/$/.test(url)) throw new Error(`${url} is not on this machine`);
  const npmrc = join(copy, ".npmrc");
  const lines = [`registry=${url}`, `@offprint:registry=${url}`, `${url.replace(/^http:/, "")}:_authToken=rehearsal`];
  writeFileSync(npmrc, `${lines.join("\n")}\n`);
  const env = {
    npm_config_registry: url,
    npm_config_userconfig: npmrc,
    npm_config_globalconfig: join(copy, "no-global-npmrc"),
    XDG_CONFIG_HOME: join(copy, "no-config"),
  };
  for (const setting of ["registry", "@offprint:registry"]) {
    const { stdout } = await pnpmIn(copy, ["config", "get", setting], env);
    if (stdout.trim() !== url) throw new Error(`pnpm's ${setting} is not the throw-away one; nothing was published`);
  }
  await pnpmIn(copy, ["exec", "changeset", "publish", "--no-git-tag"], env);
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
