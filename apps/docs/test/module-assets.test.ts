import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { temporaryFolder } from "@offprint/testing";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { moduleAssets } from "../src/module-assets.js";

it("files that modules name beside themselves are found beside the bundle", async () => {
  const output = temporaryFolder("assets");
  await build({
    stdin: {
      contents: 'export { loadTinyModels } from "./index.ts";',
      resolveDir: fileURLToPath(new URL("../../../packages/core/language/src/tiny/", import.meta.url)),
    },
    outfile: join(output, "bundle.js"),
    bundle: true,
    format: "esm",
    platform: "browser",
    conditions: ["@offprint/source", "module"],
    logLevel: "silent",
    plugins: [moduleAssets(output)],
  });
  expect(readdirSync(output).sort()).toEqual([
    "bundle.js",
    expect.stringMatching(/^causal-[0-9A-F]{8}\.safetensors$/),
    expect.stringMatching(/^masked-[0-9A-F]{8}\.safetensors$/),
  ]);
  const bundle = await import(/* @vite-ignore */ pathToFileURL(join(output, "bundle.js")).href);
  const { lm, vocab, encode } = await bundle.loadTinyModels();
  const ids = encode(
    "when my flight landed in peru , i fell asleep . ( the lamp was old today ) . i stayed in the capital ,",
  );
  expect(vocab[(await lm.allLogits([ids])).slice([0, -1]).argMax().item()]).toBe("lima");
});

it("files that a module among the assets names are found too, by methods that ship a network", async () => {
  const output = temporaryFolder("assets");
  await build({
    stdin: {
      contents: 'export { shippedNetwork } from "./index.ts";',
      resolveDir: fileURLToPath(new URL("../../../packages/methods/dcdm/src/", import.meta.url)),
    },
    outfile: join(output, "bundle.js"),
    bundle: true,
    format: "esm",
    platform: "browser",
    conditions: ["@offprint/source", "module"],
    logLevel: "silent",
    plugins: [moduleAssets(output)],
  });
  expect(readdirSync(output).sort()).toEqual([expect.stringMatching(/^box-32-[0-9A-F]{8}\.safetensors$/), "bundle.js"]);
  const bundle = await import(/* @vite-ignore */ pathToFileURL(join(output, "bundle.js")).href);
  expect(Object.keys((await bundle.shippedNetwork()).params).length).toBeGreaterThan(0);
});
