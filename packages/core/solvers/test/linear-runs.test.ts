import { sparse, tree } from "@offprint/tensor-core";
import { describe, expect, it } from "vitest";
import { type RunSubject, runConformance } from "../src/conformance/index.js";
import {
  conjugateGradients,
  conjugateGradientsSync,
  gmres,
  lanczos,
  lanczosEigenpairs,
  lanczosSync,
  minres,
  type OperatorLike,
  sor,
  sorSync,
  ssor,
  ssorConjugateGradients,
  stochasticLanczosQuadrature,
} from "../src/index.js";
import { secondDifferences } from "./sparse-matrices.js";

// So ill-conditioned that no solver is done soon.
const n = 4000;
const a = secondDifferences(n);
const product = (x: Float64Array, out: Float64Array) => void sparse.multiplyVector(a, x, out);
const b = Float64Array.from({ length: n }, (_, i) => Math.sin(i * i));
const spoilt = b.slice().fill(Number.NaN, 3, 4);

type Solve = (a: OperatorLike, b: Float64Array, options: object) => ReturnType<typeof conjugateGradients>;
const relaxing =
  (solve: typeof sor): Solve =>
  (matrix, y, options) =>
    solve(matrix as sparse.CsrMatrix, y, { omega: 1.5, ...options });

/** Kernels make so many iterations of this matrix at once. */
const batch = Math.floor(4e6 / (3 * n - 2));
const subjects: [name: string, solve: Solve, matrix: OperatorLike, short: number, invalid: object[]][] = [
  ["conjugateGradients", conjugateGradients, product, 6, []],
  ["conjugateGradients of a sparse matrix", conjugateGradients, a, 4 * batch + 7, []],
  ["minres", minres, product, 6, []],
  ["gmres", gmres, product, 6, [{ restart: 0 }]],
  ["gmres over restarts", (...all) => gmres(all[0], all[1], { restart: 2, ...all[2] }), product, 7, []],
  ["sor", relaxing(sor), a, 4 * batch + 7, [{ omega: 2 }, { shift: Number.NaN }]],
  ["ssor", relaxing(ssor), a, 4 * batch, [{ omega: 0 }]],
  ["ssorConjugateGradients", relaxing(ssorConjugateGradients), a, 4 * batch, [{ order: "middle" }]],
];

for (const [name, solve, matrix, short, invalid] of subjects) {
  runConformance(
    name,
    {
      run: (options) => solve(matrix, b, { tolerance: 0, ...options }),
      limit: "maxIterations",
      short,
      endless: { maxIterations: 1e9 },
      seeded: false,
      invalid: [{ tolerance: -1 }, { absoluteTolerance: Number.NaN }, { initial: [1, 2] }, ...invalid] as Record<
        string,
        unknown
      >[],
      nonFinite: [
        () => solve(matrix, spoilt, {}),
        () => solve(sparse.scale(a, Number.POSITIVE_INFINITY), b, {}),
        () => solve(matrix, b, { initial: spoilt }),
      ],
    },
    { describe, it, expect },
  );
}

const runs: readonly [string, RunSubject["run"]][] = [
  ["lanczos", (options: object) => lanczos(product, n, options)],
  ["lanczosEigenpairs", (options: object) => lanczosEigenpairs(product, n, { count: 2, tolerance: 0, ...options })],
];
for (const [name, run] of runs) {
  runConformance(
    name,
    {
      run,
      limit: "maxIterations",
      short: 12,
      endless: { maxIterations: n },
      seeded: false,
      invalid: [
        { initial: [1] },
        { initial: new Float64Array(n) },
        ...(name === "lanczos" ? [] : [{ count: 0 }, { tolerance: -1 }, { which: "middle" }]),
      ],
      nonFinite: [
        () => run({ initial: spoilt }),
        () => lanczos((_, out) => void out.fill(Number.NaN), n),
        () => lanczosEigenpairs([[Number.NaN]], 1),
      ],
    },
    { describe, it, expect },
  );
}

describe("runs in one go", () => {
  it("give what those that wait give", async () => {
    for (const [waiting, once] of [
      [await conjugateGradients(a, b, { maxIterations: 900 }), conjugateGradientsSync(a, b, { maxIterations: 900 })],
      [await sor(a, b, { omega: 1.9, maxIterations: 9 }), sorSync(a, b, { omega: 1.9, maxIterations: 9 })],
      [await lanczos(product, n, { maxIterations: 9 }), lanczosSync(product, n, { maxIterations: 9 })],
    ]) {
      expect(tree.toJson(once)).toBe(tree.toJson(waiting));
    }
  });
});

describe("stochastic Lanczos quadrature", () => {
  it("is stopped, and goes on with the probes that it would have drawn", async () => {
    const small = secondDifferences(40);
    const run = (more: object) => stochasticLanczosQuadrature(small, 40, Math.exp, { probes: 6, seed: "x", ...more });
    const whole = await run({});
    expect(whole).toMatchObject({ status: "converged", iterations: 6 });
    const part = await run({ onProgress: ({ iteration }: { iteration: number }) => (iteration === 2 ? "stop" : 0) });
    expect(part.samples).toEqual(whole.samples.slice(0, 2));
    const rest = await run({ resume: tree.fromJson(tree.toJson(part.state)) });
    expect(tree.toJson(rest)).toBe(tree.toJson(whole));
    await expect(run({ rng: 3 })).rejects.toThrow(/no option "rng"/);
  });
});
