import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { type Repository, readRepository } from "../repository.mjs";

/** Path from the root to content; objects become JSON. */
export type Files = Record<string, string | object>;

/** Writes files into a throw-away repository, which the end of the test removes. */
export function repositoryOf(files: Files): Repository {
  const root = mkdtempSync(join(tmpdir(), "offprint checks "));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === "string" ? content : JSON.stringify(content));
  }
  return readRepository(root);
}

/** A manifest that the anatomy check accepts. */
export function manifest(folder: string, more: object = {}): object {
  const entry = { types: "./dist/index.d.ts", default: "./dist/index.js" };
  return {
    name: `@offprint/${folder.split("/").at(-1)}`,
    version: "0.1.0",
    description: "A package.",
    license: "MIT",
    type: "module",
    sideEffects: false,
    keywords: ["word"],
    engines: { node: ">=20.19" },
    repository: { directory: folder },
    exports: { ".": { "@offprint/source": "./src/index.ts", ...entry } },
    unpkg: "./dist/page/index.js",
    jsdelivr: "./dist/page/index.js",
    publishConfig: { access: "public", exports: { ".": entry } },
    files: ["dist"],
    scripts: { build: "tsc -b" },
    ...more,
  };
}

/** What a check found, a line each. */
export function lines({ violations }: { violations: { subject: string; message: string }[] }): string[] {
  return violations.map(({ subject, message }) => `${subject}: ${message}`);
}
