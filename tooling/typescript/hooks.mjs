// Module hooks: `.js` in an import means the `.ts` file beside it, and esbuild strips the types while loading. What it
// gave is kept by what it was given: most processes load modules that others have loaded before.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { threadId } from "node:worker_threads";
import { moduleCache, root } from "../setup/setup.mjs";

const kept = join(moduleCache, "typescript");

/** @type {import("esbuild").TransformOptions} */
const options = { loader: "ts", format: "esm", target: "node20", sourcemap: "inline" };

/** Of another version of esbuild, or with other options, nothing is taken. */
const manifest = readFileSync(join(root, "node_modules", "esbuild", "package.json"), "utf8");
const settings = JSON.stringify([JSON.parse(manifest).version, options]);

/** @type {import("node:module").ResolveHook} */
export async function resolve(specifier, context, next) {
  if (/^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith(".ts")) {
    const typescript = new URL(specifier.replace(/\.js$/, ".ts"), context.parentURL);
    if (existsSync(fileURLToPath(typescript))) return { url: typescript.href, shortCircuit: true };
  }
  return next(specifier, context);
}

/** @type {import("node:module").LoadHook} */
export async function load(url, context, next) {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return next(url, context);
  const path = fileURLToPath(url);
  return { format: "module", source: await stripped(path, readFileSync(path, "utf8")), shortCircuit: true };
}

/**
 * @param {string} path
 * @param {string} source
 */
async function stripped(path, source) {
  const key = createHash("sha256").update(settings).update(path).update("\0").update(source).digest("hex");
  const place = join(kept, `${key}.js`);
  if (existsSync(place)) return readFileSync(place, "utf8");
  const { transform } = await import("esbuild");
  const { code } = await transform(source, { ...options, sourcefile: path });
  const unfinished = `${place}.${process.pid}-${threadId}`;
  try {
    // In one step: others may read it meanwhile.
    mkdirSync(kept, { recursive: true });
    writeFileSync(unfinished, code);
    renameSync(unfinished, place);
  } catch {
    // It is made anew next time.
  }
  return code;
}
