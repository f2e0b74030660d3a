import { tensor } from "@offprint/tensor-core";
import { expectClose, readFixture } from "@offprint/testing";
import { describe, it } from "vitest";
import { evaluate, foldLinear, fromOnnx, toOnnx } from "../src/index.js";

interface Case {
  readonly model: string;
  readonly inputs: number[][];
  readonly outputs: number[][];
}

const cases: Record<string, Case> = readFixture(import.meta.url, "operators.json");

describe("networks of one operator", () => {
  it.each(Object.entries(cases))("%s: read as it is computed by the reference", (_, { model, inputs, outputs }) => {
    const network = fromOnnx(Uint8Array.from(Buffer.from(model, "base64")));
    const folded = foldLinear(network);
    const { inputShape = [inputs[0].length] } = network;
    for (const [k, x] of inputs.entries()) {
      const expected = tensor(Float64Array.from(outputs[k]));
      const shaped = evaluate(network, tensor(Float64Array.from(x), { shape: inputShape }));
      const tolerance = { relative: 1e-6, absolute: 1e-6 };
      expectClose(shaped.reshape([shaped.size]), expected, tolerance);
      expectClose(evaluate(folded, x), expected, tolerance);
      const again = fromOnnx(toOnnx(folded, { dtype: "float64" }));
      expectClose(evaluate(again, x), expected, tolerance);
    }
  });
});
