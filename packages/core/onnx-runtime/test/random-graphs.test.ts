import { add, grad, mean, mul, sum, type Tensor, valueAndGrad } from "@offprint/tensor-core";
import * as conformance from "@offprint/tensor-core/conformance";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type OnnxRuntime, onnxRuntime } from "../src/index.js";
import { type Cell, failures } from "./agreement/agreement.js";
import { randomProgram } from "./agreement/random-program.js";

let backend: OnnxRuntime;
beforeAll(async () => {
  backend = await onnxRuntime({ device: "cpu", threads: 1 });
});
afterAll(() => backend.release());

const tolerance = { float32: { relative: 2e-3, absolute: 5e-4 }, float64: { relative: 1e-9, absolute: 1e-10 } };

/** Programs compiled together: the time to optimise a graph grows faster than its size. */
const GROUP = 3;

/** Value and gradients of a random program. */
function firstOrder(seed: number, dtype: "float32" | "float64"): Cell {
  const { loss, inputs } = randomProgram(seed, dtype);
  return {
    label: `program ${seed}`,
    inputs,
    tolerance,
    f: (...xs) => {
      const [value, gradients] = valueAndGrad((all: Tensor[]) => loss(...all))(xs);
      return [value, ...gradients];
    },
  };
}

/** The gradient of a random program's gradient in a direction. */
function secondOrder(seed: number): Cell {
  const { loss, inputs } = randomProgram(seed, "float64");
  const slope = (xs: Tensor[]) =>
    grad((all: Tensor[]) => loss(...all))(xs)
      .map((g) => sum(mul(g, 0.5)))
      .reduce((a, b) => a.add(b));
  return { label: `program ${seed}, twice`, inputs, tolerance, f: (...xs) => grad(slope)(xs) };
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

it("125 random programs and their gradients give in float64 what they give eagerly", async () => {
  expect(
    await failures(
      backend,
      range(1, 125).map((seed) => firstOrder(seed, "float64")),
      GROUP,
    ),
  ).toEqual([]);
}, 600_000);

it("50 random programs and their gradients give in float32 what they give eagerly", async () => {
  expect(
    await failures(
      backend,
      range(1001, 50).map((seed) => firstOrder(seed, "float32")),
      GROUP,
    ),
  ).toEqual([]);
}, 600_000);

/** tensor-core's own random programs, which reach vmap, nested and custom gradients and decompositions. */
function compositions(seed: number): Cell[] {
  const { run, inputs, steps } = conformance.randomProgram(new conformance.Source(seed), 4 + (seed % 12));
  if (steps.some((step) => step.startsWith("lgamma"))) return [];
  const loss = (xs: Tensor[]) =>
    run(xs)
      .map((y) => mean(y))
      .reduce((a, b) => add(a, b));
  const label = `composition ${seed}: ${steps.join(" ")}`;
  return [{ label, inputs, tolerance, f: (...xs) => [...run(xs), ...grad(loss)(xs)] }];
}

it("tensor-core's random compositions give with their gradients what they give eagerly", async () => {
  expect(await failures(backend, range(5000, 60).flatMap(compositions), GROUP)).toEqual([]);
}, 600_000);

it("25 random programs give the same second derivatives", async () => {
  expect(await failures(backend, range(2001, 25).map(secondOrder), GROUP)).toEqual([]);
}, 600_000);
