import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import { checkOptions, hostTensor, requireInteger, type Tensor, ValueError } from "@offprint/tensor-core";
import { NetworkSimplex, type SpanningTree } from "./network-simplex.js";
import { readProblem, type TransportProblem } from "./transport-problem.js";

/** So many pivots of the network simplex. */
export interface ExactTransportRecord {
  /** Pivots done. */
  readonly iteration: number;
  /** Cost of the present plan, artificial arcs included. */
  readonly objective: number;
}

/** Options of `exactTransport`. */
export interface ExactTransportOptions
  extends RunOptions<ExactTransportRecord, RunState<SpanningTree, ExactTransportRecord>> {
  /** Pivots at most. Default no limit. */
  readonly maxIterations?: number;
  /** Pivots between two records. Default 1000. */
  readonly pivotsPerRecord?: number;
  /** Leaves out rows and columns without mass. Default `false`. */
  readonly dropZeros?: boolean;
}

/** An optimal plan with its dual prices. */
export interface ExactTransportResult {
  /** `[n, m]` float64, with at most n + m - 1 entries that are not 0. */
  readonly plan: Tensor;
  /** `[n]` dual prices of the rows: x_i + y_j <= cost_ij, with equality where mass is moved. NaN where there is none. */
  readonly x: Tensor;
  /** `[m]` dual prices of the columns. */
  readonly y: Tensor;
  /** The least cost <C, P>; of the present plan where the run was ended before. */
  readonly cost: number;
  /** `"converged"` where the plan is optimal. */
  readonly status: Status;
  /** Pivots. */
  readonly iterations: number;
  /** One record for each block of pivots. */
  readonly history: readonly ExactTransportRecord[];
  /** What a further run resumes from. */
  readonly state: RunState<SpanningTree, ExactTransportRecord>;
}

/**
 * Optimal transport without regularisation, exactly, by the network simplex: what `eta -> infinity` tends to (POT's
 * `emd`). Uniform masses and a square matrix are served faster by `assignment`.
 *
 * @throws ShapeError, DTypeError, ValueError for what is wrong with the problem or an option
 * @example
 * const { plan, cost } = await exactTransport({ cost: [[0, 1], [1, 0]], r: [0.3, 0.7], c: [0.5, 0.5] }); // cost 0.2
 */
export async function exactTransport(
  problem: TransportProblem,
  options: ExactTransportOptions = {},
): Promise<ExactTransportResult> {
  const owner = "exactTransport";
  checkOptions(owner, options, ["maxIterations", "pivotsPerRecord", "dropZeros", ...runOptionNames]);
  const { maxIterations = Number.MAX_SAFE_INTEGER, pivotsPerRecord = 1000, dropZeros } = options;
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireInteger(owner, "pivotsPerRecord", pivotsPerRecord, 1);
  const read = readProblem(owner, problem, dropZeros);
  const { n, m, cost: C } = read;
  const simplex = new NetworkSimplex(read);
  let at: SpanningTree | undefined;
  const run = await runLoop<SpanningTree, ExactTransportRecord>(
    {
      owner,
      limit: maxIterations,
      initial: () => {
        at = simplex.tree();
        return at;
      },
      step: (tree) => {
        if (tree !== at) simplex.restore(tree);
        simplex.pivot(Math.min(pivotsPerRecord, maxIterations - tree.pivots));
        at = simplex.tree();
        return at;
      },
      record: ({ pivots }) => ({ iteration: pivots, objective: simplex.objective() }),
      count: ({ pivots }) => pivots,
      finished: ({ optimal }) => (optimal ? "converged" : undefined),
      check: ({ parent }) => {
        if (parent instanceof Int32Array && parent.length === n + m + 1) return;
        throw new ValueError(`${owner}: resume is not the state of a problem with ${n} rows and ${m} columns`);
      },
    },
    options,
  );
  if (run.last !== at) simplex.restore(run.last);
  const size = [read.rows?.count ?? n, read.columns?.count ?? m];
  const plan = new Float64Array(size[0] * size[1]);
  let cost = 0;
  simplex.forEachFlow((i, j, flow) => {
    plan[(read.rows?.kept[i] ?? i) * size[1] + (read.columns?.kept[j] ?? j)] = flow;
    cost += flow * C[i * m + j];
  });
  const { x, y } = simplex.prices();
  const { status, iterations, history, state } = run;
  return {
    plan: hostTensor(plan, size, "float64"),
    x: hostTensor(spreadOut(x, size[0], read.rows?.kept), [size[0]], "float64"),
    y: hostTensor(spreadOut(y, size[1], read.columns?.kept), [size[1]], "float64"),
    cost,
    status,
    iterations,
    history,
    state,
  };
}

function spreadOut(x: Float64Array, size: number, kept?: Int32Array): Float64Array {
  if (kept === undefined) return x;
  const all = new Float64Array(size).fill(Number.NaN);
  for (let i = 0; i < x.length; i++) all[kept[i]] = x[i];
  return all;
}
