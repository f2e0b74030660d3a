import { abs, add, cos, mul, square, sub, sum, type Tensor, tree } from "@offprint/tensor-core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type CboOptions, cbo } from "../src/index.js";

const rastrigin = (v: Tensor) => sum(add(square(v), mul(2.5, sub(1, cos(mul(v, 2 * Math.PI))))), { axis: 1 });
const corner = (v: Tensor) => sum(abs(sub(v, 0.3)), { axis: 1 });

const cases: [string, (v: Tensor) => Tensor, number, CboOptions][] = [
  ["anisotropic noise in ten dimensions", rastrigin, 10, { sigma: 4, noise: "anisotropic" }],
  ["isotropic noise in two", rastrigin, 2, { noise: "isotropic" }],
  ["one dimension, in float32", corner, 1, { dtype: "float32" }],
  ["five dimensions, in float32", rastrigin, 5, { dtype: "float32", noiseAt: "post" }],
  ["alpha by itself, and a gradient step", corner, 3, { alpha: "auto", gradient: { gamma: 1, learningRate: 0.1 } }],
  ["cooling", rastrigin, 3, { cooling: { everySteps: 5, sigmaFactor: 0.9, alphaFactor: 1.1 } }],
  ["swarms that collapse and begin again", rastrigin, 2, { tolerance: 0.3, restarts: 3 }],
];

/** The clock decides whether steps are computed ahead: it stands for quick ones, and leaps for slow ones. */
function clock(step: number): void {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => (now += step));
}

describe("steps that are computed ahead", () => {
  afterEach(() => void vi.restoreAllMocks());

  it.each(cases)("are those computed one by one, to the last bit: %s", async (_name, objective, dimension, options) => {
    const run = async (step: number, more: CboOptions = {}) => {
      clock(step);
      return await cbo(
        { objective, dimension },
        { particles: 37, mean: 1, std: 2, maxIterations: 75, ...options, ...more },
      );
    };
    const ahead = await run(0);
    const single = await run(10);
    expect(tree.toJson(ahead)).toBe(tree.toJson(single));
    // Broken off within steps that are computed already, and resumed.
    const part = await run(0, { onProgress: ({ iteration }) => (iteration === 23 ? "stop" : undefined) });
    expect([part.status, part.iterations]).toEqual(["stopped", 23]);
    const rest = await run(0, { resume: part.state });
    expect(tree.toJson({ ...rest, state: null })).toBe(tree.toJson({ ...single, state: null }));
    expect(rest.iterations).toBeGreaterThan(0);
  });

  it("have their particles wherever a state is saved", async () => {
    const states = async (step: number, every: number): Promise<Map<number, string>> => {
      clock(step);
      const found = new Map<number, string>();
      const save = (state: { readonly iterations: number }) => void found.set(state.iterations, tree.toJson(state));
      await cbo({ objective: rastrigin, dimension: 5 }, { maxIterations: 60, checkpoint: { every, save } });
      return found;
    };
    const single = await states(10, 1);
    expect([...(await states(0, 1))]).toEqual([...single]);
    const seventh = await states(0, 7);
    expect([...seventh.keys()]).toEqual([7, 14, 21, 28, 35, 42, 49, 56]);
    for (const [k, state] of seventh) expect(state).toBe(single.get(k));
  });
});
