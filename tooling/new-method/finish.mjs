// `pnpm finish-method <slug>`: everything that is written by programs, then the checks; it stops at the first that fails.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../setup/setup.mjs";

/**
 * What is done for a method, in this order: what is written comes before what hashes or checks it.
 *
 * @param {string} slug
 * @returns {Array<[title: string, script: string, args: string[]]>} scripts from the root
 */
export function stepsOf(slug) {
  const folder = `packages/methods/${slug}`;
  return [
    // As strict as the suite's lint, and first: what it finds need not wait for a build.
    ["lay out its code", "node_modules/@biomejs/biome/bin/biome", ["check", "--write", "--error-on-warnings", folder]],
    ["draw its pictures", "tooling/pictures/main.mjs", [slug]],
    ["list it", "tooling/checks/listed.mjs", []],
    ["say in its README how it runs in pages", "tooling/checks/in-pages.mjs", []],
    ["build", "tooling/setup/build.mjs", []],
    ["run its claims and keep them", "apps/docs/dist/generator/store-claims.js", [slug]],
    ["types, tests, claims, README, checks", "tooling/suite/test.mjs", ["--filter", slug]],
  ];
}

/**
 * Runs the steps; the exit code of the first that fails, else 0.
 *
 * @param {string | undefined} slug
 * @param {(script: string, args: string[]) => number} run
 * @returns {number}
 */
export function finish(slug, run) {
  if (!slug || !existsSync(join(root, "packages", "methods", slug, "package.json"))) {
    console.error(`pnpm finish-method <slug>: ${slug ? `packages/methods/${slug} is not there` : "which method?"}`);
    return 2;
  }
  for (const [title, script, args] of stepsOf(slug)) {
    console.log(`\n${title}`);
    const status = run(script, args);
    if (status !== 0) {
      console.error(`\nThis failed: ${title}. Mend it, and run pnpm finish-method ${slug} again.`);
      return status;
    }
  }
  return 0;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  process.exitCode = finish(process.argv[2], (script, args) => {
    const { status } = spawnSync(process.execPath, [join(root, script), ...args], { cwd: root, stdio: "inherit" });
    return status ?? 1;
  });
}
