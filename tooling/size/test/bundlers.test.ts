// What bundlers make of a program: a manifest that declares too much free of side effects has them leave out what is needed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as esbuild from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { root } from "../../setup/setup.mjs";

/** The condition through which packages resolve each other's TypeScript. */
const conditions = ["@offprint/source"];
// Within a package that depends on the core, so that imports resolve as in it, and out of sight.
const cache = join(root, "packages", "methods", "diffgrad", "node_modules", ".cache");
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, "bundled-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bundlers: Record<string, (input: string, output: string) => Promise<unknown>> = {
  esbuild: (input, output) =>
    esbuild.build({
      entryPoints: [input],
      outfile: output,
      bundle: true,
      format: "esm",
      logLevel: "silent",
      conditions,
    }),
  async Vite(input, output) {
    // The Vite that the tests run by.
    const vite = createRequire(import.meta.resolve("vitest/node")).resolve("vite");
    const { build } = await import(pathToFileURL(vite).href);
    const lib = { entry: input, formats: ["es"], fileName: () => "out.mjs" };
    await build({
      ...{ configFile: false, root: folder, logLevel: "silent", resolve: { conditions } },
      build: { lib, outDir: join(output, ".."), emptyOutDir: false, target: "es2022" },
    });
  },
};

const programs = {
  "a tensor and nothing else":
    'import { tensor } from "@offprint/tensor-core"; export const sum = tensor([1, 2]).sum().item();',
  "the whole package":
    'import * as core from "@offprint/tensor-core"; export const sum = core.tensor([1, 2]).sum().item();',
  "a compiled function":
    'import { jitSync, tensor } from "@offprint/tensor-core"; export const sum = jitSync((x) => x.sum())(tensor([1, 2])).item();',
};

describe.each(Object.keys(bundlers))("a bundle by %s", (bundler) => {
  it.each(Object.entries(programs))("has tensors with their methods: %s", async (name, code) => {
    const [input, output] = [join(folder, "in.mjs"), join(folder, bundler, name.replaceAll(" ", "-"), "out.mjs")];
    writeFileSync(input, code);
    await bundlers[bundler](input, output);
    expect((await import(/* @vite-ignore */ pathToFileURL(output).href)).sum).toBe(3);
  });
});
