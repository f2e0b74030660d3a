import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { activation, fromOnnx, perceptron, toOnnx } from "@offprint/networks";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { lipschitzBound, samplingBound } from "../src/index.js";
import { randomLayers } from "./deterministic-nets.js";

const maxmin = toOnnx(perceptron(randomLayers([4, 6, 6, 2], 1), activation("maxmin")));
const leaky = toOnnx(perceptron(randomLayers([4, 6, 5, 2], 2), activation("leakyRelu", { slope: 0.1 })));

describe("offprint bound-lipschitz", () => {
  async function run(model: Uint8Array, given: readonly string[] = []) {
    const folder = await mkdtemp(join(tmpdir(), "lipsdp-"));
    const path = join(folder, "model.onnx");
    await writeFile(path, model);
    const output = join(folder, "bounds.json");
    const { code, out, err } = await runWords(commands, "bound-lipschitz", [path, "--output", output, ...given]);
    return { lines: out.split("\n"), err, json: code === 0 ? JSON.parse(await readFile(output, "utf8")) : undefined };
  }

  it("prints certified bounds for both norms, never below samples", async () => {
    const { lines, json } = await run(maxmin);
    const network = fromOnnx(maxmin);
    expect(lines[0]).toBe("model.onnx: 4-6-6-2, maxmin");
    const printed = lines
      .filter((line) => line.includes("L <="))
      .map((line) => Number(/L <= ([\d.]+)/.exec(line)?.[1]));
    expect(printed).toHaveLength(2);
    for (const [k, norm] of (["l2", "linf-l1"] as const).entries()) {
      expect(printed[k]).toBeGreaterThanOrEqual(json[k].result.value);
      expect(printed[k]).toBeLessThan(json[k].result.value * 1.00001);
      expect(json[k].result.value).toBeGreaterThanOrEqual(samplingBound(network, { norm }));
      expect(json[k].result.certificate.norm).toBe(norm);
    }
  });

  it("takes single outputs and norms", async () => {
    const { lines, json } = await run(leaky, ["--norm", "linf", "--rows", "1"]);
    expect(lines.filter((line) => line.includes("L <="))).toHaveLength(1);
    expect(json[0].norm).toBe("linf-l1");
  });

  it("keeps the state of an interrupted run, and goes on with it to the same bounds", async () => {
    const folder = await mkdtemp(join(tmpdir(), "lipsdp-"));
    const [path, state, output] = ["model.onnx", "state.json", "bounds.json"].map((name) => join(folder, name));
    await writeFile(path, maxmin);
    const words = [path, "--state", state, "--output", output];
    const controller = new AbortController();
    controller.abort();
    const stopped = await runWords(commands, "bound-lipschitz", words, { signal: controller.signal });
    expect([stopped.code, stopped.err]).toEqual([130, expect.stringContaining(`The run is kept in ${state}`)]);
    const few = await runWords(commands, "bound-lipschitz", [...words, "--resume", "--max-iterations", "3"]);
    expect(few.code).toBe(0);
    const rest = await runWords(commands, "bound-lipschitz", [...words, "--resume"]);
    expect(rest.code).toBe(0);
    const { json } = await run(maxmin);
    expect(JSON.parse(await readFile(output, "utf8"))).toEqual(json);
  });

  it("says before a long programme what to do instead, and not where nothing is solved", async () => {
    const wide = toOnnx(perceptron(randomLayers([4, 210, 200, 2], 3), activation("relu")));
    const folder = await mkdtemp(join(tmpdir(), "lipsdp-"));
    const [path, state] = ["wide.onnx", "state.json"].map((name) => join(folder, name));
    await writeFile(path, wide);
    const { err } = await runWords(commands, "bound-lipschitz", [path, "--state", state], {
      signal: AbortSignal.abort(),
    });
    expect(err).toContain("410 hidden neurons may take minutes");
    const split = await run(wide, ["--norm", "l2", "--split", "1"]);
    expect(split.err).not.toContain("may take minutes");
    expect(split.json[0].result.source).toBe("split");
  });

  it("reads weights that lie in a file beside the model, and names that file where it is missing", async () => {
    const fixture = new URL("../../../core/networks/test/fixtures/external-data.json", import.meta.url);
    const { model, data } = JSON.parse(await readFile(fixture, "utf8"));
    const [bytes, weights] = [model, data].map((text) => Buffer.from(text, "base64"));
    const folder = await mkdtemp(join(tmpdir(), "lipsdp-"));
    const [path, beside, output] = ["model.onnx", "model.onnx.data", "bounds.json"].map((name) => join(folder, name));
    await writeFile(path, bytes);
    const words = [path, "--norm", "l2", "--output", output];
    const missing = await runWords(commands, "bound-lipschitz", words);
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('"model.onnx.data", which is not there')]);
    await writeFile(beside, weights);
    expect((await runWords(commands, "bound-lipschitz", words)).code).toBe(0);
    const network = fromOnnx(bytes, { externalData: { "model.onnx.data": weights } });
    const { value } = await lipschitzBound(network);
    expect(JSON.parse(await readFile(output, "utf8"))[0].result.value).toBe(value);
    await writeFile(beside, weights.subarray(0, 100));
    expect((await runWords(commands, "bound-lipschitz", words)).err).toContain("truncated");
  });

  it("refuses wrong options and files", async () => {
    expect((await run(leaky, ["--norm", "linf", "--split", "2"])).err).toMatch(/--split would do nothing/);
    expect((await run(leaky, ["--norm", "l7"])).err).toMatch(/--norm cannot be "l7"/);
    expect((await run(leaky, ["--rows", "x"])).err).toMatch(/--rows must be an integer/);
    expect((await run(leaky, ["--rows", "9"])).err).toMatch(/--rows has 9; the network's outputs are 0 to 1/);
    expect((await run(leaky, ["--tolerance", "0"])).err).toMatch(/--tolerance must be a number above 0/);
    expect((await run(Uint8Array.of(9, 9, 9))).err).toMatch(/onnx/);
  });
});
