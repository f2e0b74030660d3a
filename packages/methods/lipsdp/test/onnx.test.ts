import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runWords } from "@offprint/commands/testing";
import { type NodeSource, writeOnnxGraph } from "@offprint/onnx-format";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { commands } from "../cli/index.js";
import { fromOnnx, lipschitzBound, samplingBound } from "../src/index.js";
import { checkNetwork } from "../src/network.js";
import { Evaluator } from "../src/sampling-bound.js";

interface Case {
  readonly model: string;
  readonly inputs: number[][];
  readonly outputs: number[][];
}

const cases: Record<string, Case> = readFixture(import.meta.url, "onnx.json");
const bytesOf = (name: string) => Uint8Array.from(Buffer.from(cases[name].model, "base64"));

describe("fromOnnx", () => {
  it.each(["relu", "maxmin halves", "maxmin pairs", "groupsort", "convolution"])(
    "%s: the network that is read gives PyTorch's outputs",
    (name) => {
      const evaluator = new Evaluator(checkNetwork(fromOnnx(bytesOf(name))));
      for (const [k, x] of cases[name].inputs.entries()) {
        const { output } = evaluator.run(Float64Array.from(x));
        for (const [i, expected] of cases[name].outputs[k].entries()) expect(output[i]).toBeCloseTo(expected, 5);
      }
    },
  );

  it("finds MaxMin in halves and in pairs, and GroupSort in a sort", () => {
    const activationOf = (name: string) => fromOnnx(bytesOf(name)).activation;
    expect(activationOf("maxmin halves")).toEqual([{ kind: "maxmin" }, { kind: "maxmin" }]);
    expect(activationOf("maxmin pairs")).toEqual([{ kind: "maxmin" }]);
    expect(activationOf("groupsort")).toEqual([{ kind: "groupsort", groupSize: 4 }]);
    expect(activationOf("relu")).toEqual([
      { kind: "slope", alpha: 0, beta: 1, name: "relu" },
      { kind: "slope", alpha: expect.closeTo(0.1, 6), beta: 1 },
    ]);
  });

  it("gives an activation at the end an identity behind it", async () => {
    const network = fromOnnx(bytesOf("relu at the end"));
    expect(network.layers.map(({ weight }) => (weight as { shape: number[] }).shape)).toEqual([
      [4, 3],
      [2, 4],
      [2, 2],
    ]);
    expect((await lipschitzBound(network)).certified).toBe(true);
  });

  it.each([
    ["skip", /skip connection/],
    ["softmax", /operator Softmax .* is not read/],
    ["unknown", /operator Sin "odd" is not read/],
  ])("refuses %s by name", (name, message) => {
    expect(() => fromOnnx(bytesOf(name))).toThrow(message);
  });

  it("a skip over layers of one width is refused, though the sizes fit", () => {
    expect(() => fromOnnx(bytesOf("skip"))).toThrow(/only plain feed-forward networks/);
  });

  it("refuses small files that ask for much memory, before it is taken", () => {
    const model = (extent: number, nodes: readonly NodeSource[], output = "y") =>
      writeOnnxGraph({
        inputs: [{ name: "x", type: "float32", shape: [1, extent] }],
        outputs: [{ name: output, type: "float32", shape: [1, extent] }],
        nodes,
      });
    const relu = { operator: "Relu", inputs: ["x"], outputs: ["y"] };
    for (const extent of [20_000, 1e9]) {
      const bytes = model(extent, [relu]);
      expect(bytes.length).toBeLessThan(120);
      expect(() => fromOnnx(bytes)).toThrow(/layers of \d+ values need more than 67108864 numbers/);
    }
    const doubled = Array.from({ length: 30 }, (_, k) => ({
      operator: "Concat",
      inputs: [`x${k === 0 ? "" : k}`, `x${k === 0 ? "" : k}`],
      outputs: [`x${k + 1}`],
      attributes: { axis: 1 },
    }));
    expect(() => fromOnnx(model(4, doubled, "x30"))).toThrow(/has more than 1048576 elements/);
    const image = { name: "x", type: "float32", shape: [1, 1, 2, 2] } as const;
    const padded = writeOnnxGraph({
      inputs: [image],
      outputs: [{ ...image, name: "y" }],
      nodes: [
        {
          operator: "AveragePool",
          inputs: ["x"],
          outputs: ["y"],
          attributes: { kernel_shape: [1, 1], pads: [30_000, 30_000, 30_000, 30_000], count_include_pad: 1 },
        },
      ],
    });
    expect(() => fromOnnx(padded)).toThrow(/need more than 67108864 numbers/);
    expect(fromOnnx(model(300, [relu])).layers).toHaveLength(2);
  });

  it("refuses bytes that are no model", () => {
    expect(() => fromOnnx(new Uint8Array([9, 9, 9]))).toThrow(/onnx/);
  });
});

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
    const { lines, json } = await run(bytesOf("maxmin halves"));
    const network = fromOnnx(bytesOf("maxmin halves"));
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
    const { lines, json } = await run(bytesOf("relu"), ["--norm", "linf", "--rows", "1"]);
    expect(lines.filter((line) => line.includes("L <="))).toHaveLength(1);
    expect(json[0].norm).toBe("linf-l1");
  });

  it("refuses wrong options and files", async () => {
    expect((await run(bytesOf("relu"), ["--norm", "l7"])).err).toMatch(/--norm cannot be "l7"/);
    expect((await run(bytesOf("relu"), ["--rows", "x"])).err).toMatch(/--rows must be an integer/);
    expect((await run(bytesOf("relu"), ["--rows", "9"])).err).toMatch(/outputs must be rows/);
    expect((await run(bytesOf("relu"), ["--tolerance", "0"])).err).toMatch(/--tolerance must be a number above 0/);
    expect((await run(bytesOf("softmax"))).err).toMatch(/Softmax/);
  });
});
