import { fuzzReader } from "@offprint/fuzz";
import { type NodeSource, writeOnnxGraph } from "@offprint/onnx-format";
import { readFixture } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { foldLinear, fromOnnx } from "../src/index.js";

const cases: Record<string, { readonly model: string }> = {
  ...readFixture(import.meta.url, "onnx.json"),
  ...readFixture(import.meta.url, "operators.json"),
};

describe("damaged files give typed errors and no huge allocation", () => {
  it.each([
    "relu",
    "maxmin halves",
    "groupsort",
    "convolution",
    "pooled",
    "ConvTranspose in groups",
    "Pad by axes",
    "Resize to the nearest by sizes",
    "Resize linearly",
    "Tile",
  ])("network %s", (name) => {
    const file = Uint8Array.from(Buffer.from(cases[name].model, "base64"));
    fuzzReader({ name: `network ${name}`, read: (bytes) => foldLinear(fromOnnx(bytes)), file });
  });
});

describe("small files that ask for much memory", () => {
  const model = (extent: number, nodes: readonly NodeSource[], output = "y") =>
    writeOnnxGraph({
      inputs: [{ name: "x", type: "float32", shape: [1, extent] }],
      outputs: [{ name: output, type: "float32", shape: [1, extent] }],
      nodes,
    });
  const relu = { operator: "Relu", inputs: ["x"], outputs: ["y"] };

  it("layers that would be written out are refused before memory is taken", () => {
    for (const extent of [20_000, 1e9]) {
      const bytes = model(extent, [relu]);
      expect(bytes.length).toBeLessThan(120);
      expect(() => foldLinear(fromOnnx(bytes))).toThrow(/need \d+ numbers written out, more than 67108864/);
      const maxmin = { operator: "Max", inputs: ["x", "x"], outputs: ["y"] };
      expect(() => fromOnnx(model(extent, [maxmin]))).toThrow(/layers of \d+ values need more than 67108864 numbers/);
    }
    expect(foldLinear(fromOnnx(model(300, [relu]))).layers).toHaveLength(3);
  });

  it("arrays that double are refused", () => {
    const doubled = Array.from({ length: 30 }, (_, k) => ({
      operator: "Concat",
      inputs: [`x${k === 0 ? "" : k}`, `x${k === 0 ? "" : k}`],
      outputs: [`x${k + 1}`],
      attributes: { axis: 1 },
    }));
    expect(() => fromOnnx(model(4, doubled, "x30"))).toThrow(/has more than 1048576 elements/);
  });

  it("windows that see padding only are refused", () => {
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
    expect(() => fromOnnx(padded)).toThrow(/would see padding only/);
  });
});
