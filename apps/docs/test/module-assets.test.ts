import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { temporaryFolder } from "@offprint/testing";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { moduleAssets } from "../src/module-assets.js";

/** Bundles what a module of the packages exports, with the files that it names beside the bundle; their names. */
async function bundled(name: string, folder: string): Promise<{ bundle: Record<string, any>; files: string[] }> {
  const output = temporaryFolder("assets");
  await build({
    stdin: {
      contents: `export { ${name} } from "./index.ts";`,
      resolveDir: fileURLToPath(new URL(`../../../packages/${folder}/`, import.meta.url)),
    },
    outfile: join(output, "bundle.js"),
    bundle: true,
    format: "esm",
    platform: "browser",
    conditions: ["@offprint/source", "module"],
    logLevel: "silent",
    plugins: [moduleAssets(output)],
  });
  const bundle = await import(/* @vite-ignore */ pathToFileURL(join(output, "bundle.js")).href);
  return { bundle, files: readdirSync(output).sort() };
}

it("files that modules name beside themselves are found beside the bundle", async () => {
  const { bundle, files } = await bundled("loadTinyModels", "core/language/src/tiny");
  expect(files).toEqual([
    "bundle.js",
    expect.stringMatching(/^causal-[0-9A-F]{8}\.safetensors$/),
    expect.stringMatching(/^masked-[0-9A-F]{8}\.safetensors$/),
  ]);
  const { lm, vocab, encode } = await bundle.loadTinyModels();
  const ids = encode(
    "when my flight landed in peru , i fell asleep . ( the lamp was old today ) . i stayed in the capital ,",
  );
  expect(vocab[(await lm.allLogits([ids])).slice([0, -1]).argMax().item()]).toBe("lima");
});

it("files that a module among the assets names are found too, by methods that ship a network", async () => {
  const { bundle, files } = await bundled("shippedNetwork", "methods/dcdm/src");
  expect(files).toEqual([expect.stringMatching(/^box-32-[0-9A-F]{8}\.safetensors$/), "bundle.js"]);
  expect(Object.keys((await bundle.shippedNetwork()).params).length).toBeGreaterThan(0);
});
