import type { RunState, Status } from "@offprint/solvers";
import { hostTensor, type Tensor } from "@offprint/tensor-core";
import type { GibbsKernel } from "./gibbs-kernel.js";
import { assess } from "./marginal-error.js";
import { countStages, type SnsRecord, type SnsStage } from "./record.js";
import type { SnsState } from "./solver-state.js";
import type { ReducedProblem } from "./transport-problem.js";

/** A run that a plan comes from. */
interface TransportRun<S> {
  readonly status: Status;
  readonly iterations: number;
  readonly history: readonly SnsRecord[];
  readonly state: RunState<S, SnsRecord>;
}

/**
 * A plan with its dual potentials.
 * @typeParam S - what the solver goes on from
 */
export interface TransportResult<S = SnsState> {
  /** `[n, m]` float64, the transport plan P. */
  readonly plan: Tensor;
  /** `[n]` potentials of the rows, in units of cost, in the gauge sum x = sum y; -Infinity where there is no mass. */
  readonly x: Tensor;
  /** `[m]` potentials of the columns. */
  readonly y: Tensor;
  /** The inverse regularisation of the plan: the one asked for, unless annealing ended before it. */
  readonly eta: number;
  /** Transport cost <C, P>. */
  readonly cost: number;
  /** <C, P> + (1/eta) sum p log p. */
  readonly regularisedValue: number;
  /** The dual value f(x, y), at most the regularised value of the best plan. */
  readonly f: number;
  /** ||r - P 1||_1 + ||c - P^T 1||_1 of `plan`. */
  readonly marginalError: number;
  /** `"converged"` where the marginal error is within the tolerance. */
  readonly status: Status;
  /** Iterations; a Sinkhorn iteration updates x and y. */
  readonly iterations: number;
  /** Those of each stage. */
  readonly stages: Readonly<Record<SnsStage, number>>;
  /** Conjugate-gradient steps in all. */
  readonly cgSteps: number;
  /** One record for each iteration. */
  readonly history: readonly SnsRecord[];
  /** What a further run resumes from. */
  readonly state: RunState<S, SnsRecord>;
}

/** The result at the kernel's present potentials. */
export function transportResult<S>(
  kernel: GibbsKernel,
  { rows, columns, cost: C }: ReducedProblem,
  { status, iterations, history, state }: TransportRun<S>,
  tolerance: number,
): TransportResult<S> {
  const { n, m, eta } = kernel;
  const { stride, plan: padded } = kernel.rows;
  const { error, f } = assess(kernel, kernel.evaluate(kernel.u, kernel.v, true));
  const size = [rows?.count ?? n, columns?.count ?? m];
  const plan = new Float64Array(size[0] * size[1]);
  let cost = 0;
  let entropy = 0;
  for (let i = 0; i < n; i++) {
    const to = (rows?.kept[i] ?? i) * size[1];
    let rowCost = 0;
    for (let j = 0; j < m; j++) {
      const p = padded[i * stride + j];
      if (p === 0) continue;
      plan[to + (columns?.kept[j] ?? j)] = p;
      rowCost += p * C[i * m + j];
      // log p is known: the exponent.
      entropy += p * kernel.exponent(i, j);
    }
    cost += rowCost;
  }
  const { x, y } = kernel.potentials();
  return {
    plan: hostTensor(plan, size, "float64"),
    x: hostTensor(expand(x, size[0], rows?.kept), [size[0]], "float64"),
    y: hostTensor(expand(y, size[1], columns?.kept), [size[1]], "float64"),
    eta,
    cost,
    regularisedValue: cost + entropy / eta,
    f,
    marginalError: error,
    // The plan that is given is computed without leaving anything out, which may decide at the margin.
    status: status === "limit" && error <= tolerance ? "converged" : status,
    iterations,
    stages: countStages(history),
    cgSteps: history.reduce((sum, { cgSteps }) => sum + cgSteps, 0),
    history,
    state,
  };
}

function expand(x: Float64Array, size: number, kept?: Int32Array): Float64Array {
  if (kept === undefined) return x;
  const all = new Float64Array(size).fill(-Infinity);
  for (let i = 0; i < x.length; i++) all[kept[i]] = x[i];
  return all;
}
