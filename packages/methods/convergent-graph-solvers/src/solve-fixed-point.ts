import type { Graph } from "@offprint/graph";
import { gmresSync, type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  asTensor,
  cast,
  checkOptions,
  jitSync,
  linalg,
  NonFiniteError,
  requireChoice,
  segmentSum,
  sub,
  type Tensor,
  type TensorLike,
  take,
  tensor,
  UnsupportedError,
  ValueError,
  zerosLike,
} from "@offprint/tensor-core";
import { ends } from "./contracting-weights.js";
import {
  type CheckedContraction,
  type ContractionOptions,
  checkedContraction,
  contractingMap,
  contractionOptionNames,
  goalAt,
  iterationBound,
  normOf,
  requireStateShapes,
} from "./contraction.js";

/** One iteration. */
export interface FixedPointRecord {
  /** From 1; with GMRES the heads that are done. */
  readonly iteration: number;
  /** Norm of the change; with GMRES the residual of the head. */
  readonly change: number;
}

/** Where a run stands; a tree. */
export interface FixedPointPoint {
  /** `[nodes, heads]` */
  readonly h: Tensor;
  /** Norm of the last change; infinite before the first iteration. */
  readonly change: number;
  /** What it has to come down to. */
  readonly goal: number;
}

/** A state to go on from. */
export type FixedPointState = RunState<FixedPointPoint, FixedPointRecord>;

/** Options of {@link solveFixedPoint}. */
export interface FixedPointOptions extends ContractionOptions, RunOptions<FixedPointRecord, FixedPointState> {
  /** `iteration` (default), or `gmres` for `(I - gamma A) h = b` head by head, where gamma is near to 1; identity only. */
  readonly method?: "iteration" | "gmres";
}

/** What {@link solveFixedPoint} gives. */
export interface FixedPointResult {
  /** `[nodes, heads]` the fixed points. */
  readonly x: Tensor;
  /** Norm of the last change. */
  readonly change: number;
  /** Largest sum of a row of A in size: the iteration contracts by at most gamma times this. */
  readonly rowSum: number;
  /** Iterations that suffice, by the contraction factor and the first change; undefined before there was one. */
  readonly bound: number | undefined;
  /** How it ended. */
  readonly status: Status;
  /** Iterations made, those of resumed runs included. */
  readonly iterations: number;
  /** One record for each. */
  readonly history: readonly FixedPointRecord[];
  /** What a further run resumes from. */
  readonly state: FixedPointState;
}

/**
 * The fixed points `h = act(gamma A h + b)` of a large graph as a run that can be watched, stopped and resumed. That A
 * contracts is checked. Rows are put together in one compiled pass over the edges, all heads at once; no `[nodes, nodes]`
 * matrix is formed.
 * @param weights `[edges, heads]` entries of the matrices A
 * @param bias `[nodes, heads]`
 * @throws ValueError where weights or bias are not finite, and where a row of A sums up to more than 1 in size, unless
 * `allowNonContractive`; NonFiniteError, with the last good state, where the iteration then diverges.
 */
export async function solveFixedPoint(
  graph: Graph,
  weights: TensorLike,
  bias: TensorLike,
  options: FixedPointOptions = {},
): Promise<FixedPointResult> {
  const owner = "solveFixedPoint";
  checkOptions(owner, options, [...contractionOptionNames, "method", ...runOptionNames]);
  const { method = "iteration", allowNonContractive = false } = options;
  requireChoice(owner, "method", method, ["iteration", "gmres"]);
  const b = asTensor(bias);
  const a = cast(weights, b.dtype);
  requireStateShapes(owner, graph, a, b);
  requireFinite(owner, "weights", a);
  requireFinite(owner, "bias", b);
  const settings = checkedContraction(owner, options, b.size);
  const rowSum = largestRowSum(graph, a, settings);
  if (rowSum > 1 + ROUNDING && !allowNonContractive) {
    throw new ValueError(
      `${owner}: a row of A sums up to ${rowSum.toPrecision(6)}, so that a fixed point is not guaranteed; give weights of ` +
        "contractingWeights, or allowNonContractive",
    );
  }
  const gmres = method === "gmres";
  if (gmres && (options.activation ?? "identity") !== "identity") {
    throw new UnsupportedError(
      `${owner}: gmres solves linear systems; give activation "identity", or method "iteration"`,
    );
  }
  const step = gmres ? headByHead(graph, a, b, settings) : iterationOf(graph, a, b, settings);
  const { last, ...run } = await runLoop<FixedPointPoint, FixedPointRecord>(
    {
      owner,
      limit: gmres ? Math.min(b.shape[1], options.maxIterations ?? b.shape[1]) : settings.maxIterations,
      initial: () => ({ h: zerosLike(b), change: Number.POSITIVE_INFINITY, goal: 0 }),
      step,
      record: ({ change }, iteration) => ({ iteration, change }),
      finished: ({ change, goal }, iteration) => {
        if (gmres) return iteration === b.shape[1] && change <= goal ? "converged" : undefined;
        return change <= goal ? "converged" : undefined;
      },
      check({ h }) {
        if (h?.shape?.join() !== b.shape.join() || h.dtype !== b.dtype) {
          throw new ValueError(
            `${owner}: resume is a state of another problem; give one of this graph and these heads`,
          );
        }
      },
    },
    options,
  );
  const first = run.history[0]?.change;
  const contracts = settings.gamma * rowSum;
  const bound =
    first === undefined || contracts >= 1 || contracts === 0
      ? undefined
      : iterationBound(contracts, reductionOf(first, settings.tolerance, contracts));
  return { ...run, x: last.h, change: last.change, rowSum, bound };
}

/** How far the first change has to come down: that is the state of one iteration, of which more than half stays. */
function reductionOf(first: number, tolerance: number, contracts: number): number {
  const goal = tolerance * Math.min(1, first / 2);
  return first <= goal ? 1 - contracts : (goal * (1 - contracts)) / first;
}

/** What rounding may add to a sum of float32 entries. */
const ROUNDING = 1e-5;

function requireFinite(owner: string, name: string, x: Tensor): void {
  const values = x.data();
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) {
      throw new ValueError(`${owner}: ${name} must be finite, got ${values[i]} at ${i}; mend what gave it`);
    }
  }
}

function largestRowSum(graph: Graph, a: Tensor, { flow }: CheckedContraction): number {
  const { rows } = ends(graph, flow);
  const sums = segmentSum(a.abs(), rows, graph.nodes).data();
  let largest = 0;
  for (const value of sums) largest = Math.max(largest, value);
  return largest;
}

/** One iteration as a compiled function, with edges in the order of their rows, so that a row is at hand while it grows. */
function iterationOf(graph: Graph, a: Tensor, b: Tensor, settings: CheckedContraction) {
  const incoming = settings.flow === "incoming";
  const { edges } = incoming ? graph.incoming : graph.outgoing;
  const ordered = {
    nodes: graph.nodes,
    edges: graph.edges,
    sources: take(graph.sources, edges),
    targets: take(graph.targets, edges),
  };
  const weights = take(a, edges);
  const compiled = jitSync((h: Tensor, sources: Tensor, targets: Tensor, values: Tensor, bias: Tensor) => {
    const map = contractingMap({ ...ordered, sources, targets }, settings);
    const next = map(h, { weights: values, bias });
    return { h: next, change: normOf(sub(next, h), settings.stopNorm), goal: goalAt(next, settings) };
  });
  return ({ h }: FixedPointPoint): FixedPointPoint => {
    const next = compiled(h, ordered.sources, ordered.targets, weights, b);
    const change = next.change.item();
    if (!Number.isFinite(change)) throw new NonFiniteError(`the change is ${change}: the iteration diverged`);
    return { h: next.h, change, goal: next.goal.item() };
  };
}

/** One head a step, by GMRES. */
function headByHead(graph: Graph, a: Tensor, b: Tensor, { gamma, flow, tolerance }: CheckedContraction) {
  const [nodes, heads] = b.shape;
  const { rows, columns } = ends(graph, flow) as { rows: Int32Array; columns: Int32Array };
  const weights = a.data();
  const bias = b.data();
  return ({ h, change, goal }: FixedPointPoint, iteration: number): FixedPointPoint => {
    const head = iteration - 1;
    const apply = (x: Float64Array, out: Float64Array) => {
      out.set(x);
      for (let e = 0; e < rows.length; e++) out[rows[e]] -= gamma * weights[e * heads + head] * x[columns[e]];
    };
    const right = Float64Array.from({ length: nodes }, (_, i) => bias[i * heads + head]);
    const solved = gmresSync(apply, right, { tolerance: Math.min(tolerance, 1e-12), maxIterations: 20 * nodes + 100 });
    const values = h.data().slice();
    for (let i = 0; i < nodes; i++) values[i * heads + head] = solved.x[i];
    const residual = residualNorm(apply, solved.x, right);
    const size = linalg.norm(right).item();
    return {
      h: tensor(values, { shape: [nodes, heads] }),
      change: iteration === 1 ? residual : Math.max(change, residual),
      goal: Math.max(goal, tolerance * Math.min(1, size), 1e-12 * size),
    };
  };
}

function residualNorm(
  apply: (x: Float64Array, out: Float64Array) => void,
  x: Float64Array,
  right: Float64Array,
): number {
  const out = new Float64Array(x.length);
  apply(x, out);
  return linalg.norm(right.map((v, i) => v - out[i])).item();
}
