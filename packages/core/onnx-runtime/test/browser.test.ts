import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundlePage, chromium, needsChromium, runPage, softwareGpu } from "@offprint/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportCases } from "./export-cases.js";
import { besideWeights, saveBeside } from "./weights-beside.js";

const folder = mkdtempSync(join(tmpdir(), "offprint-browser-"));
const place = { location: "w.bin", offset: "0", length: "24" };
saveBeside(join(folder, "whole"), place, besideWeights);
saveBeside(join(folder, "truncated"), place, besideWeights.subarray(0, 20));
saveBeside(join(folder, "absent"), place);
afterAll(() => rmSync(folder, { recursive: true }));

const binaries = dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));

const bundle = (page: URL, conditions?: readonly string[]) => bundlePage({ page: fileURLToPath(page) }, conditions);

const open = (scripts: ReadonlyMap<string, string>): Promise<any> =>
  runPage(scripts, {
    // The runtime's WebAssembly is large and runs for seconds: optimising it takes longer than that spares.
    flags: [...softwareGpu, "--js-flags=--liftoff-only"],
    file: (address) => {
      if (/\.(wasm|mjs)$/.test(address)) return join(binaries, basename(address));
      const model = join(folder, address);
      return /\.(onnx|bin)$/.test(address) && existsSync(model) ? model : undefined;
    },
  });

describe.skipIf(chromium === undefined)(`in a browser ${needsChromium}`, () => {
  let found: any;
  beforeAll(async () => {
    found = await open(await bundle(new URL("browser-page.ts", import.meta.url)));
    expect(found.error).toBeUndefined();
  });

  it("onnxruntime-web gives on its CPU what the page's host kernels give", () => {
    const { description, ...cases } = found.cpu;
    expect(description).toMatch(/^onnxruntime-web 1\.\d+\.\d+ on cpu, 1 thread$/);
    expect(cases).toEqual(Object.fromEntries(Object.keys(exportCases).map((name) => [name, "agrees"])));
  });
  it("says which devices run", () => {
    const cpu = found.devices.find((report: any) => report.device === "cpu");
    expect(cpu).toMatchObject({ runs: true });
    expect(["cpu", "webgpu"]).toContain(found.auto);
    expect(found.unknown).toMatch(
      /^true DeviceError: .*the installed binding has no device "abacus"; it has webgpu, cpu/,
    );
  });
  it("loads models from bytes and compiles on demand", () => {
    expect(found.model).toEqual([8, 6]);
    expect(found.item).toBe(42);
  });
  it("fetches the weights that lie beside a model", () => {
    expect(found.beside).toEqual([3, 5, 7]);
    expect(found.truncated).toMatch(
      /^FormatError: loadModel truncated\/m.onnx: .* which has 20; that file is truncated/,
    );
    expect(found.absent).toMatch(/^UnsupportedError: loadModel absent\/m.onnx: .*"w.bin", which is not there/);
  });
  it("keeps WebAssembly out of the bundle under a condition, and fetches it from where the page says", async () => {
    // What bundlers take as a file of the page's own.
    const swallowed = /new URL\("[^"]*\.wasm"/;
    const page = new URL("browser-separate-page.ts", import.meta.url);
    expect((await bundle(page)).get("/page.js")).toMatch(swallowed);
    const scripts = await bundle(page, ["onnxruntime-web-use-extern-wasm"]);
    expect(scripts.get("/page.js")).not.toMatch(swallowed);
    expect(await open(scripts)).toEqual({ item: 42 });
  });
  it("webgpu gives what the page's host kernels give, or says that there is no adapter", () => {
    if (typeof found.webgpu === "string") {
      expect(found.webgpu).toMatch(/^true DeviceError: .*there is no GPU adapter/);
      return;
    }
    const { description, ...cases } = found.webgpu;
    expect(description).toMatch(/ on webgpu, /);
    expect(Object.keys(cases).length).toBeGreaterThan(9);
    expect(new Set(Object.values(cases))).toEqual(new Set(["agrees"]));
  });
});
