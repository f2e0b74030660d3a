import { linalg, matmul, random, sub, type Tensor, transpose } from "@offprint/tensor-core";
import { errorLike } from "@offprint/testing";
import { describe, expect, it } from "vitest";
import { type Sketch, sketchSolve } from "../src/index.js";
import { length, saddle } from "./problems.js";

/** Runs of which a mean is taken. */
const REPEATS = 200;
const sketches: Sketch[] = [
  { kind: "kaczmarz" },
  { kind: "kaczmarz", sampling: "norm" },
  { kind: "gaussian" },
  { kind: "block", size: 3 },
  { kind: "block", size: 3, family: "subsample" },
  { kind: "block", size: 3, family: "countSketch" },
  { kind: "exact" },
];

describe("a sketch step", () => {
  it("leaves a residual that is orthogonal to the sketch, for one column and for several", async () => {
    const { K, b } = saddle(1);
    for (const s of [1, 2, 4]) {
      const S = random.rng(s).normal([9, s], { dtype: "float64" });
      const custom: Sketch = { kind: "custom", next: () => S };
      const { x, iterations } = await sketchSolve(K, b, { sketch: custom, maxIterations: 1 });
      expect(iterations).toBe(1);
      expect(length(matmul(transpose(S), sub(matmul(K, x), b)))).toBeLessThan(1e-11 * length(b));
    }
  });

  it("never leads away from the solution", async () => {
    const { K, b } = saddle(2);
    const solution = linalg.solve(K, b);
    for (const sketch of sketches) {
      let before = length(solution);
      for (let steps = 1; steps <= 5; steps++) {
        const { x } = await sketchSolve(K, b, { sketch, maxIterations: steps * 9, seed: 4 });
        const distance = length(sub(x, solution));
        expect(distance).toBeLessThanOrEqual(before * (1 + 1e-12));
        before = distance;
      }
    }
  });

  it("is exact with as many columns as unknowns, whatever the family; dependent columns count once", async () => {
    const { K, b } = saddle(3);
    for (const family of ["gaussian", "subsample"] as const) {
      const { residualNorm } = await sketchSolve(K, b, {
        sketch: { kind: "block", size: 9, family },
        maxIterations: 1,
      });
      expect(residualNorm).toBeLessThan(1e-10);
    }
    const doubled = random.rng(1).normal([9, 2], { dtype: "float64" });
    const next = (): Tensor =>
      doubled.matmul([
        [1, 0, 1],
        [0, 1, 1],
      ]);
    const { x } = await sketchSolve(K, b, { sketch: { kind: "custom", next }, maxIterations: 1 });
    const { x: plain } = await sketchSolve(K, b, { sketch: { kind: "custom", next: () => doubled }, maxIterations: 1 });
    expect(length(sub(x, plain))).toBeLessThan(1e-9);
  });
});

describe("sketchSolve", () => {
  it("solves a symmetric indefinite system with every sketch", async () => {
    const { K, b } = saddle(4);
    for (const sketch of sketches) {
      const { x, status, residualNorm } = await sketchSolve(K, b, { sketch, tolerance: 1e-9 });
      expect(status).toBe("converged");
      expect(residualNorm).toBeLessThanOrEqual(1e-9 * length(b));
      expect(length(sub(matmul(K, x), b))).toBeLessThan(2e-9 * length(b));
    }
  });

  it("gives the same from an operator as from its matrix, with vectors and blocks", async () => {
    const { K, b } = saddle(5, 4, 2);
    const values = K.data();
    const product = (x: Float64Array, out: Float64Array) => {
      for (let i = 0; i < 6; i++) {
        out[i] = 0;
        for (let j = 0; j < 6; j++) out[i] += values[i * 6 + j] * x[j];
      }
    };
    for (const sketch of [{ kind: "gaussian" }, { kind: "block", size: 2 }] as const) {
      const options = { sketch, tolerance: 0.4 };
      const [ours, theirs] = [await sketchSolve(product, b, options), await sketchSolve(K, b, options)];
      expect([ours.status, theirs.status]).toEqual(["converged", "converged"]);
      expect(length(sub(matmul(K, ours.x), b))).toBeLessThan(0.41 * length(b));
      const S = random.rng(8).normal([6, 2], { dtype: "float64" });
      const once = { sketch: { kind: "custom", next: () => S }, maxIterations: 1 } as const;
      const [one, other] = [await sketchSolve(product, b, once), await sketchSolve(K, b, once)];
      expect(length(sub(one.x, other.x))).toBeLessThan(1e-12);
    }
  });

  it("contracts in expectation at least as 1 - sigma_min^2 / ||K||_F^2, with rows weighed by their norms", async () => {
    const { K, b } = saddle(6, 4, 2);
    const solution = linalg.solve(K, b);
    const factor = 1 - (Math.min(...Array.from(linalg.svdvals(K).data())) / linalg.norm(K).item()) ** 2;
    const steps = 60;
    for (const sketch of [{ kind: "kaczmarz", sampling: "norm" }, { kind: "gaussian" }] as const) {
      let mean = 0;
      for (let seed = 0; seed < REPEATS; seed++) {
        const { x } = await sketchSolve(K, b, { sketch, maxIterations: steps, tolerance: 0, seed });
        mean += length(sub(x, solution)) ** 2 / REPEATS;
      }
      expect(mean).toBeLessThan(1.1 * factor ** steps * length(solution) ** 2);
    }
  });

  it("is accurate to theta delta where the accuracy rule is met with psi = ||K^-1||", async () => {
    for (let seed = 10; seed < 60; seed++) {
      const { K, b } = saddle(seed, 5, 2);
      const solution = linalg.solve(K, b);
      const psi = 1 / Math.min(...Array.from(linalg.svdvals(K).data()));
      const delta = 0.1;
      const tolerance = delta / (linalg.norm(K).item() * psi);
      const { x, status } = await sketchSolve(K, b, { tolerance });
      expect(status).toBe("converged");
      expect(length(sub(x, solution))).toBeLessThanOrEqual(delta * length(solution));
    }
  });

  it("says what is wrong with its arguments", async () => {
    const cases: [() => unknown, RegExp][] = [
      [
        () =>
          sketchSolve(
            [
              [1, 2],
              [3, 4],
            ],
            [1, 2],
          ),
        /K is not symmetric at \(1, 0\)/,
      ],
      [() => sketchSolve([[1, 2]], [1, 2]), /K has shape \[1,2\]; it must be \[2, 2\]/],
      [() => sketchSolve([[1]], [Number.NaN]), /b holds NaN/],
      [() => sketchSolve([[1]], [1e-200]), /largest entry of b is 1e-200, whose square float64 does not hold/],
      [() => sketchSolve([[1e-200]], [1]), /largest entry of K is 1e-200/],
      [() => sketchSolve([[1]], [1], { sketch: {} as never }), /sketch.kind is null; it must be one of/],
      [
        () => sketchSolve([[1]], [1], { sketch: { kind: "custom", next: () => null as never } }),
        /sketch.next gave null/,
      ],
      [() => sketchSolve(() => undefined, [1], { sketch: { kind: "kaczmarz" } }), /reads rows of K/],
      [() => sketchSolve([[1]], [1], { sketch: { kind: "block", size: 2 } }), /sketch.size is 2/],
      [() => sketchSolve([[1]], [1], { sketch: { kind: "krylov" } as never }), /sketch.kind/],
      [
        () => sketchSolve([[1]], [1], { sketch: { kind: "custom", next: () => random.rng(0).normal([2, 1]) } }),
        /sketch.next gave shape \[2,1\]; it must give \[1, s\]/,
      ],
    ];
    for (const [call, message] of cases) await expect(call()).rejects.toThrow(message);
    await expect(sketchSolve([[1]], [1], { initial: [1, 2] })).rejects.toEqual(errorLike("ShapeError", /initial/));
  });
});
