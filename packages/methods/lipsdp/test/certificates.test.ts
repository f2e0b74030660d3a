import { activation, perceptron } from "@offprint/networks";
import { inOneGo } from "@offprint/solvers";
import { random } from "@offprint/tensor-core";
import { beforeAll, describe, expect, it } from "vitest";
import { deterministicLayers, deterministicWeights } from "../claims/method.js";
import { repairChain } from "../src/certify-chain.js";
import { chainOf } from "../src/feed-forward.js";
import {
  type LipschitzBound,
  type LipschitzOptions,
  lipschitzBound,
  type Network,
  productBound,
  samplingBound,
  verifyCertificate,
} from "../src/index.js";
import { choleskyFactor, identity, matrix } from "../src/matrix.js";
import { type CheckedFeedForward, checkNetwork } from "../src/network.js";
import { provePositive } from "../src/positive-proof.js";
import { provenNorm } from "../src/proven-norm.js";
import { zeroMultipliers } from "../src/quadratic-constraint.js";
import { Evaluator } from "../src/sampling-bound.js";
import { deepEquilibrium, negativeTranspose, randomLayers } from "./deterministic-nets.js";

const maxmin = activation("maxmin");
const [G, H] = deterministicWeights([6, 8, 6]);

const networks: [string, Network, LipschitzOptions][] = [
  ["MaxMin, diag", perceptron(deterministicLayers([5, 8, 8, 3]), maxmin), { multipliers: "diag" }],
  ["MaxMin, eliminated", perceptron(deterministicLayers([5, 8, 8, 3]), maxmin), { multipliers: "eliminated" }],
  [
    "GroupSort 4, eliminated",
    perceptron(deterministicLayers([6, 8, 4]), { kind: "groupsort", groupSize: 4 }),
    { multipliers: "eliminated" },
  ],
  [
    "Householder, diag",
    perceptron(deterministicLayers([6, 8, 4]), { kind: "householder", v: [0.6, 0.8] }),
    { multipliers: "diag" },
  ],
  ["ReLU, dense", perceptron(deterministicLayers([5, 8, 8, 3]), activation("relu")), { form: "dense" }],
  [
    "ReLU, chordal",
    perceptron(deterministicLayers([5, 8, 8, 3]), activation("relu")),
    { form: "chordal", multipliers: "diag" },
  ],
  ["abs", perceptron(deterministicLayers([6, 8, 4]), activation("abs")), {}],
  ["mixed", perceptron(deterministicLayers([5, 8, 8, 3]), [maxmin, activation("relu")]), {}],
  ["MaxMin, linf", perceptron(deterministicLayers([6, 8, 4]), maxmin), { norm: "linf-l1", multipliers: "diag" }],
  ["MaxMin, linf, eliminated", perceptron(deterministicLayers([6, 8, 4]), maxmin), { norm: "linf-l1" }],
  ["residual", { kind: "residual", blocks: [{ G, H }], activation: maxmin }, {}],
  [
    "residual, linf",
    { kind: "residual", blocks: [{ G, H: negativeTranspose(G) }], activation: maxmin },
    { norm: "linf-l1" },
  ],
  ["implicit", deepEquilibrium(), {}],
  ["wide input", perceptron(randomLayers([40, 8, 6, 20], 3), maxmin), {}],
];

/** The optimum from a tight solve, which is not the certified value of the run under test. */
async function optimum(network: Network, options: LipschitzOptions): Promise<number> {
  return (await lipschitzBound(network, { ...options, certify: false, tolerance: 1e-8, maxIterations: 20000 })).value;
}

/** The largest difference quotient of random pairs, some close to each other. */
function largestQuotient(network: Network, norm: LipschitzOptions["norm"]): number {
  const checked = checkNetwork(network);
  const evaluator = new Evaluator(checked);
  const rng = random.rng(1);
  let largest = 0;
  for (let k = 0; k < 200; k++) {
    const x = rng.normal([checked.inputs], { std: 2, dtype: "float64" }).data() as Float64Array;
    const d = rng.normal([checked.inputs], { std: k % 2 === 0 ? 1e-3 : 1, dtype: "float64" }).data() as Float64Array;
    const step = norm === "linf-l1" ? d.map((v) => Math.sign(v) * 0.1) : d;
    const a = evaluator.run(Float64Array.from(x)).output;
    const b = evaluator.run(x.map((v, i) => v + step[i])).output;
    const difference = a.map((v, i) => v - b[i]);
    const quotient =
      norm === "linf-l1"
        ? difference.reduce((sum, v) => sum + Math.abs(v), 0) / step.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
        : Math.hypot(...difference) / Math.hypot(...step);
    largest = Math.max(largest, quotient);
  }
  return largest;
}

describe.each(networks)("%s", (_, network, options) => {
  let best = 0;
  let usual: LipschitzBound;
  beforeAll(async () => {
    best = await optimum(network, options);
    usual = await lipschitzBound(network, options);
  });
  const lower = Math.max(
    samplingBound(network, { norm: options.norm, points: 200 }),
    largestQuotient(network, options.norm),
  );

  it("no bound is below the optimum or a sample, however loosely it is solved", async () => {
    for (const loose of [
      "usual",
      { tolerance: 1e-2 },
      { maxIterations: 3 },
      { solver: { method: "splitting" }, maxIterations: 20 },
      { solver: { method: "splitting" }, maxIterations: 1 },
      { solver: { method: "splitting", anderson: false }, tolerance: 1e-4, maxIterations: 60 },
    ] as const) {
      const bound = loose === "usual" ? usual : await lipschitzBound(network, { ...options, ...loose });
      const { value, certified, certificate, source } = bound;
      expect(certified).toBe(true);
      expect(value).toBeGreaterThanOrEqual(best * (1 - 1e-6));
      expect(value).toBeGreaterThanOrEqual(lower * (1 - 1e-9));
      expect(value).toBeLessThanOrEqual(productBound(network, options.norm));
      if (source === "programme") {
        const verification = verifyCertificate(network, certificate as NonNullable<typeof certificate>);
        expect(verification.valid).toBe(true);
        expect(verification.bound).toBe(value);
        expect(verification.minEigenvalue).toBeGreaterThan(0);
      }
    }
  });

  it("costs little at the default tolerance", () => {
    expect(usual.value).toBeLessThan(best * (1 + 2e-4));
  });

  it("a certificate with a smaller gain or other multipliers is refused", () => {
    const { certificate } = usual;
    if (certificate === undefined) throw new Error("the bound has no certificate");
    const smaller =
      certificate.rho === undefined
        ? { ...certificate, mu: certificate.mu?.map((v) => v * 0.98) }
        : { ...certificate, rho: certificate.rho * 0.98 };
    expect(verifyCertificate(network, smaller).valid).toBe(false);
    const { multipliers } = certificate;
    const negative = { ...certificate, multipliers: { ...multipliers, lambda: multipliers.lambda.map((v) => -v) } };
    expect(verifyCertificate(network, negative).valid).toBe(false);
    const short = { ...certificate, multipliers: { ...multipliers, nu: multipliers.nu.slice(1) } };
    expect(verifyCertificate(network, short).valid).toBe(false);
  });
});

describe("proofs", () => {
  it("a matrix that is singular or indefinite is never proved", () => {
    const none = (s: Float64Array) => s.map(() => 0);
    const singular = matrix(2, 2, Float64Array.of(1, 1, 1, 1));
    expect(choleskyFactor(matrix(2, 2, Float64Array.of(1, 1, 1, 1 + 1e-15)))).toBeDefined();
    expect(provePositive(singular, none)).toBe(false);
    expect(provePositive(matrix(2, 2, Float64Array.of(1, 1, 1, 1 + 1e-15)), none)).toBe(false);
    expect(provePositive(matrix(2, 2, Float64Array.of(1, 2, 2, 1)), none)).toBe(false);
    expect(provePositive(identity(3), none)).toBe(true);
    expect(provePositive(matrix(1, 1, Float64Array.of(Number.NaN)), none)).toBe(false);
  });

  it("multipliers whose storages overflow are not repaired, in the last layer or before it", () => {
    const multipliers = zeroMultipliers(2);
    multipliers.lambda.fill(1);
    for (const sizes of [
      [1, 1, 1e200],
      [1e200, 1, 1],
    ]) {
      const overflowing = perceptron(
        sizes.map((size) => ({ weight: [[size]] })),
        activation("relu"),
      );
      const chain = chainOf(checkNetwork(overflowing) as CheckedFeedForward);
      const repair = repairChain(chain, { norm: "l2", multipliers }, { shift: 1e-9, room: 1e-6 });
      expect(inOneGo(repair)).toBeUndefined();
    }
  });

  it("an error bound as large as the smallest eigenvalue defeats a proof, a smaller one does not", () => {
    const X = matrix(2, 2, Float64Array.of(2, 1, 1, 2));
    expect(provePositive(X, (s) => s.map((v) => 0.3 * v))).toBe(true);
    expect(provePositive(X, (s) => s.map((v) => v))).toBe(false);
  });

  it("proven norms are not below exact ones and hardly above", () => {
    const diagonal = matrix(2, 3, Float64Array.of(3, 0, 0, 0, 2, 0));
    expect(provenNorm(diagonal)).toBeGreaterThanOrEqual(3);
    expect(provenNorm(diagonal)).toBeLessThan(3 * (1 + 1e-9));
    expect(provenNorm(matrix(2, 2))).toBe(0);
    const outer = matrix(2, 2, Float64Array.of(0.1, 0.2, 0.3, 0.6));
    expect(provenNorm(outer)).toBeGreaterThanOrEqual(Math.sqrt(0.5));
  });
});
