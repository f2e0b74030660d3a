import { primitives } from "@offprint/tensor-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hostOnlyPrimitives, type OnnxRuntime, onnxRuntime } from "../src/index.js";
import { failures } from "./agreement/agreement.js";
import { broadcastCells, type FloatType, type PrimitiveCell, specialCells, tableCells } from "./agreement/cells.js";
import { randomCells } from "./agreement/random-cells.js";

/** Primitives whose parameters are traced functions; compile.test.ts and random-graphs.test.ts have their cases. */
const HIGHER_ORDER = ["cond", "scan", "whileLoop"];

let backend: OnnxRuntime;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});
afterAll(() => backend.release());

const compilable = (cells: PrimitiveCell[]) => cells.filter((cell) => !(cell.primitive in hostOnlyPrimitives));

async function expectAgreement(cells: PrimitiveCell[]): Promise<void> {
  expect(await failures(backend, compilable(cells))).toEqual([]);
}

describe.each(["float32", "float64"] as FloatType[])("eager and compiled agree in %s", (dtype) => {
  it("in every case of tensor-core's table, with operands transposed, cut out or constant", async () => {
    await expectAgreement(tableCells(dtype, 1));
  });

  it("where operands of any rank are broadcast in the graph", async () => {
    await expectAgreement(broadcastCells(dtype, 2, 12));
  });

  it("with parameters and shapes drawn at random, in all element types", async () => {
    await expectAgreement(randomCells(dtype, 3, 60));
  });

  it("at infinities, NaN, zeros of either sign, halves and extreme magnitudes", async () => {
    await expectAgreement(specialCells(dtype));
  });
});

it("every primitive is compared or refused with a reason", async () => {
  const compared = new Set(
    [...tableCells("float32", 1), ...randomCells("float32", 3, 1)].map((cell) => cell.primitive),
  );
  const missing = Object.keys(primitives).filter((name) => !compared.has(name) && !HIGHER_ORDER.includes(name));
  expect(missing).toEqual([]);
  for (const [name, { hostOnly }] of Object.entries(hostOnlyPrimitives)) {
    expect(name in primitives, name).toBe(true);
    expect(hostOnly.length).toBeGreaterThan(20);
  }
});
