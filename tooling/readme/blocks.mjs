// The TypeScript blocks of the READMEs become files, so that they can be type-checked and run.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * @typedef {object} Block
 * @property {string} code
 * @property {number} line of the opening fence, from 1
 * @property {boolean} run false for blocks marked `no-run`, which are type-checked only
 */

/**
 * The fenced `ts` blocks of a Markdown text.
 *
 * @param {string} markdown
 * @returns {Block[]}
 */
export function tsBlocks(markdown) {
  const blocks = [];
  /** @type {(Block & { lines: string[] }) | undefined} */
  let open;
  for (const [index, line] of markdown.split(/\r?\n/).entries()) {
    if (open) {
      if (/^```\s*$/.test(line)) {
        blocks.push({ code: open.lines.join("\n"), line: open.line, run: open.run });
        open = undefined;
      } else open.lines.push(line);
      continue;
    }
    const fence = /^```(?:ts|typescript)(?:\s+(.*))?$/.exec(line);
    if (fence) open = { code: "", line: index + 1, run: !/\bno-run\b/.test(fence[1] ?? ""), lines: [] };
  }
  return blocks;
}

/**
 * Writes each block of a package's README into a module of its own inside the package, where its imports resolve as a user's would.
 *
 * @param {import("../checks/repository.mjs").Package} pkg
 * @returns {Array<{ path: string, shown: string, run: boolean }>} `shown` is the README and line
 */
export function writeBlocks(pkg) {
  const folder = join(pkg.directory, ".readme-code");
  const readme = join(pkg.directory, "README.md");
  // A tool's README shows code of other packages.
  const blocks = pkg.kind !== "tool" && existsSync(readme) ? tsBlocks(readFileSync(readme, "utf8")) : [];
  const names = blocks.map(({ line }) => `line-${line}.ts`);
  if (blocks.length > 0) mkdirSync(folder, { recursive: true });
  for (const old of existsSync(folder) ? readdirSync(folder) : []) {
    if (!names.includes(old)) rmSync(join(folder, old), { recursive: true });
  }
  return blocks.map(({ code, line, run }) => {
    const path = join(folder, `line-${line}.ts`);
    // The blank lines keep the line numbers of error messages those of the README; the export makes it a module.
    const text = `${"\n".repeat(line)}${code}\nexport {};\n`;
    // Type check and run may want them at the same time.
    if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
    return { path, shown: `${pkg.folder}/README.md:${line}`, run };
  });
}
