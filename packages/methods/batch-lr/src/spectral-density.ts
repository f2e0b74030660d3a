import {
  type LinearOperator,
  type RunOptions,
  type RunState,
  runLoop,
  runOptionNames,
  type Status,
} from "@offprint/solvers";
import { checkOptions, random, requireChoice, requireInteger, requirePositive } from "@offprint/tensor-core";
import { krylovSpectrum, randomDirection } from "./krylov.js";

/** What is told of a probe. */
export interface DensityRecord {
  /** Probes made, from 1. */
  readonly iteration: number;
  /** Largest eigenvalue that the probe saw. */
  readonly largest: number;
  /** Smallest. */
  readonly smallest: number;
}

/** Nodes and weights of the probes so far. */
export type DensityState = readonly { readonly nodes: Float64Array; readonly weights: Float64Array }[];

/** Options of {@link spectralDensity}. */
export interface SpectralDensityOptions extends RunOptions<DensityRecord, RunState<DensityState, DensityRecord>> {
  /** Lanczos steps a probe (default `min(n, 100)`): moments up to `2 steps - 1` are exact for the probe. */
  readonly steps?: number;
  /** Random probes (default 1, as the authors do; 10 for traces). */
  readonly probes?: number;
  /** Signs or normal numbers (default `"rademacher"`). */
  readonly kind?: "rademacher" | "gaussian";
  /** Source of the probes (default 0). */
  readonly seed?: number | string;
}

/** What {@link spectralDensity} gives. */
export interface SpectralDensity {
  /** Nodes of all probes, in the order in which they were found. */
  readonly nodes: Float64Array;
  /** Their weights, which sum to 1. */
  readonly weights: Float64Array;
  /** Estimate of the trace. */
  readonly trace: number;
  /** Estimate of `(1/n) tr f(A)`. */
  mean(f: (eigenvalue: number) => number): number;
  /** The density at `x`, nodes smoothed by a normal density of deviation `sigma` > 0. */
  density(x: ArrayLike<number>, sigma: number): Float64Array;
  /** How it ended; `limit` where all probes were made. */
  readonly status: Status;
  /** Probes made. */
  readonly iterations: number;
  /** The record of every probe. */
  readonly history: readonly DensityRecord[];
  /** What `resume` goes on from. */
  readonly state: RunState<DensityState, DensityRecord>;
}

/**
 * The density of a symmetric operator's eigenvalues by stochastic Lanczos quadrature: for every probe the nodes and weights
 * that Lanczos gives.
 *
 * @param apply - the operator, of order `n`: {@link Curvature.at}.
 * @throws ValueError for options out of range; NonFiniteError.
 */
export async function spectralDensity(
  apply: LinearOperator,
  n: number,
  options: SpectralDensityOptions = {},
): Promise<SpectralDensity> {
  const owner = "spectralDensity";
  checkOptions(owner, options, ["steps", "probes", "kind", "seed", ...runOptionNames]);
  requireInteger(owner, "n", n, 1);
  const { steps = Math.min(n, 100), probes = 1, kind = "rademacher", seed = 0 } = options;
  requireInteger(owner, "steps", steps, 1, n);
  requireInteger(owner, "probes", probes, 1);
  requireChoice(owner, "kind", kind, ["rademacher", "gaussian"]);
  const { last, ...run } = await runLoop<DensityState, DensityRecord>(
    {
      owner,
      limit: probes,
      limitName: "probes",
      initial: () => [],
      step(state, k) {
        const { nodes, weights } = krylovSpectrum(apply, probe(random.rng(`${seed}/probe/${k}`), n, kind), steps);
        return [...state, { nodes, weights }];
      },
      record(state, iteration) {
        const { nodes } = state.at(-1)!;
        return { iteration, largest: nodes.at(-1)!, smallest: nodes[0] };
      },
    },
    options,
  );
  const nodes = Float64Array.from(last.flatMap((each) => [...each.nodes]));
  const weights = Float64Array.from(last.flatMap((each) => [...each.weights].map((w) => w / last.length)));
  const mean = (f: (eigenvalue: number) => number) => nodes.reduce((total, node, i) => total + weights[i] * f(node), 0);
  return {
    nodes,
    weights,
    trace: n * mean((x) => x),
    mean,
    density(x, sigma) {
      requirePositive("density", "sigma", sigma);
      const normal = (z: number) => Math.exp(-0.5 * z * z) / (sigma * Math.sqrt(2 * Math.PI));
      return Float64Array.from(x, (at) => mean((node) => normal((at - node) / sigma)));
    },
    ...run,
  };
}

function probe(rng: random.Rng, n: number, kind: "rademacher" | "gaussian"): Float64Array {
  if (kind === "gaussian") return randomDirection(rng, n);
  return Float64Array.from(rng.uniform([n], { dtype: "float64" }).data(), (u) => (u < 0.5 ? -1 : 1));
}
