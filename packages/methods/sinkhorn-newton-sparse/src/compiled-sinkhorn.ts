import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  abs,
  add,
  type Backend,
  cast,
  checkOptions,
  exp,
  expandDims,
  hostTensor,
  jit,
  log,
  logSumExp,
  mul,
  requireInteger,
  requireNonNegative,
  requireObject,
  requirePositive,
  sub,
  sum,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { readProblem, type TransportProblem } from "./transport-problem.js";

/** A run of the graph of `compiledSinkhorn`. */
export interface CompiledSinkhornRecord {
  /** Iterations done. */
  readonly iteration: number;
  /** ||r - P 1||_1 + ||c - P^T 1||_1 after them. */
  readonly marginalError: number;
}

/** What a run of `compiledSinkhorn` goes on from. */
export interface CompiledSinkhornState {
  /** `[n]` eta x. */
  readonly u: Tensor;
  /** `[m]` eta y. */
  readonly v: Tensor;
  /** Iterations done. */
  readonly iterations: number;
  /** Marginal error after them. */
  readonly marginalError: number;
}

/** Options of `compiledSinkhorn`. */
export interface CompiledSinkhornOptions
  extends RunOptions<CompiledSinkhornRecord, RunState<CompiledSinkhornState, CompiledSinkhornRecord>> {
  /** Inverse regularisation, in units of 1 / cost. */
  readonly eta: number;
  /** What compiles and runs the graph, such as that of `@offprint/onnx-runtime`. Default the host's own compiler. */
  readonly backend?: Backend;
  /** float32 reaches marginal errors of about 1e-6: a preview, also on GPUs. Default `"float64"`. */
  readonly dtype?: "float32" | "float64";
  /** Most iterations; rounded up to whole runs. Default 1000. */
  readonly maxIterations?: number;
  /** Converged when the marginal error is at most this. Default 1e-9, float32: 1e-5. */
  readonly tolerance?: number;
  /** Iterations in one run of the graph, between two looks at the error. Default 10. */
  readonly stepsPerRun?: number;
}

/** What `compiledSinkhorn` gives. */
export interface CompiledSinkhornResult {
  /** `[n, m]` the plan, of the dtype asked for. */
  readonly plan: Tensor;
  /** `[n]` potentials of the rows, in units of cost; with `y` a start (`initial`) for `sinkhornNewtonSparse`. */
  readonly x: Tensor;
  /** `[m]` potentials of the columns. */
  readonly y: Tensor;
  /** ||r - P 1||_1 + ||c - P^T 1||_1. */
  readonly marginalError: number;
  /** `"converged"` where the error is within the tolerance. */
  readonly status: Status;
  /** Iterations done. */
  readonly iterations: number;
  /** One record for each run of the graph. */
  readonly history: readonly CompiledSinkhornRecord[];
  /** What a further run resumes from. */
  readonly state: RunState<CompiledSinkhornState, CompiledSinkhornRecord>;
}

const optionNames = ["eta", "backend", "dtype", "maxIterations", "tolerance", "stepsPerRun"];

/**
 * Sinkhorn in the log domain as one compiled graph of several iterations: for devices that a backend drives, and as a
 * float32 preview. `sinkhorn` is faster on a CPU for weak regularisation, and `sinkhornNewtonSparse` is accurate.
 *
 * @throws ShapeError, DTypeError, ValueError for what is wrong with the problem or an option.
 * @example
 * const { plan } = await compiledSinkhorn({ cost: [[0, 1], [1, 0]] }, { eta: 10 });
 */
export async function compiledSinkhorn(
  problem: TransportProblem,
  options: CompiledSinkhornOptions,
): Promise<CompiledSinkhornResult> {
  requireObject("compiledSinkhorn", "problem", problem, "{ cost }");
  const owner = "compiledSinkhorn";
  checkOptions(owner, options, [...optionNames, ...runOptionNames], ["eta"]);
  const { eta, backend, dtype = "float64", maxIterations = 1000, stepsPerRun = 10 } = options;
  const { tolerance = dtype === "float32" ? 1e-5 : 1e-9 } = options;
  requirePositive(owner, "eta", eta);
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireNonNegative(owner, "tolerance", tolerance);
  requireInteger(owner, "stepsPerRun", stepsPerRun, 1);
  if (dtype !== "float32" && dtype !== "float64") {
    throw new ValueError(`${owner}: dtype is "${dtype}"; it must be "float32" or "float64"`);
  }
  const { n, m, cost, r, c } = readProblem(owner, problem);
  const given = (data: Float64Array, shape: number[]) => cast(hostTensor(data, shape, "float64"), dtype);
  const scaled = cost.map((value) => eta * value);
  const [K, rows, columns] = [given(scaled, [n, m]), given(r, [n]), given(c, [m])];
  const iterate = jit((v: Tensor, K: Tensor, r: Tensor, c: Tensor) => sinkhornRun(v, K, r, c, stepsPerRun), {
    backend,
  });
  try {
    const run = await runLoop<CompiledSinkhornState, CompiledSinkhornRecord>(
      {
        owner,
        limit: maxIterations,
        initial: () => {
          const [u, v] = [given(new Float64Array(n), [n]), given(new Float64Array(m), [m])];
          return { u, v, iterations: 0, marginalError: Infinity };
        },
        step: async ({ v, iterations }) => {
          const next = await iterate(v, K, rows, columns);
          const marginalError = (await next.error.host()).item();
          return { u: next.u, v: next.v, iterations: iterations + stepsPerRun, marginalError };
        },
        record: ({ iterations, marginalError }) => ({ iteration: iterations, marginalError }),
        finished: ({ marginalError }) => (marginalError <= tolerance ? "converged" : undefined),
        count: ({ iterations }) => iterations,
        snapshot: async ({ u, v, ...rest }) => ({ ...rest, u: await u.host(), v: await v.host() }),
        check: ({ u, v }) => {
          if (u?.size === n && v?.size === m) return;
          throw new ValueError(`${owner}: resume is not the state of a problem with ${n} rows and ${m} columns`);
        },
      },
      options,
    );
    const { u, v, marginalError } = run.last;
    const { status, iterations, history, state } = run;
    const plan = planOf(u, v, K);
    return { plan, x: mul(u, 1 / eta), y: mul(v, 1 / eta), marginalError, status, iterations, history, state };
  } finally {
    await iterate.release();
  }
}

function planOf(u: Tensor, v: Tensor, K: Tensor): Tensor {
  return exp(sub(sub(add(expandDims(u, 1), expandDims(v, 0)), K), 1));
}

/** `steps` iterations from the potentials v = eta y of the columns, then the plan and its marginal error. */
function sinkhornRun(v: Tensor, K: Tensor, r: Tensor, c: Tensor, steps: number) {
  const [logR, logC] = [add(log(r), 1), add(log(c), 1)];
  let u = logR;
  for (let t = 0; t < steps; t++) {
    u = sub(logR, logSumExp(sub(expandDims(v, 0), K), { axis: 1 }));
    v = sub(logC, logSumExp(sub(expandDims(u, 1), K), { axis: 0 }));
  }
  const plan = planOf(u, v, K);
  const error = add(sum(abs(sub(sum(plan, { axis: 1 }), r))), sum(abs(sub(sum(plan, { axis: 0 }), c))));
  return { u, v, error };
}
