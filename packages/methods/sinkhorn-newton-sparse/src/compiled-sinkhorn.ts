import {
  AbortedError,
  abs,
  add,
  type Backend,
  cast,
  exp,
  expandDims,
  hostTensor,
  jit,
  log,
  logSumExp,
  mul,
  sub,
  sum,
  type Tensor,
  ValueError,
} from "@offprint/tensor-core";
import { checkEta, checkIterations, checkTolerance, readProblem, type TransportProblem } from "./transport-problem.js";

/** Options of `compiledSinkhorn`. */
export interface CompiledSinkhornOptions {
  /** Inverse regularisation, in units of 1 / cost. */
  readonly eta: number;
  /** What compiles and runs the graph, such as that of `@offprint/onnx-runtime`. Default the host kernels. */
  readonly backend?: Backend;
  /** float32 reaches marginal errors of about 1e-6: a preview, also on GPUs. Default `"float64"`. */
  readonly dtype?: "float32" | "float64";
  /** Most iterations; rounded up to whole runs. Default 1000. */
  readonly maxIter?: number;
  /** Converged when the marginal error is at most this. Default 1e-9, float32: 1e-5. */
  readonly tol?: number;
  /** Iterations in one run of the graph, between two looks at the error. Default 10. */
  readonly stepsPerRun?: number;
  /** Called after each run. */
  readonly onProgress?: (progress: { readonly iteration: number; readonly marginalError: number }) => void;
  /** Ends the iteration with an AbortedError. */
  readonly signal?: AbortSignal;
}

/** What `compiledSinkhorn` gives. */
export interface CompiledSinkhornResult {
  /** `[n, m]` the plan, of the dtype asked for. */
  readonly plan: Tensor;
  /** `[n]` potentials of the rows, in units of cost: a start (`x0`) for `sinkhornNewtonSparse`. */
  readonly x: Tensor;
  /** `[m]` potentials of the columns. */
  readonly y: Tensor;
  /** ||r - P 1||_1 + ||c - P^T 1||_1. */
  readonly marginalError: number;
  /** Whether the error is within the tolerance. */
  readonly status: "converged" | "maxIterations";
  /** Iterations done. */
  readonly iterations: number;
}

/**
 * Sinkhorn in the log domain as one compiled graph of several iterations: for devices that a backend drives, and as a
 * float32 preview. `sinkhorn` is faster on a CPU for weak regularisation, and `sinkhornNewtonSparse` is accurate.
 *
 * @throws ShapeError, DTypeError, ValueError for what is wrong with the problem or an option; AbortedError.
 * @example
 * const { plan } = await compiledSinkhorn({ cost: [[0, 1], [1, 0]] }, { eta: 10 });
 */
export async function compiledSinkhorn(
  problem: TransportProblem,
  options: CompiledSinkhornOptions,
): Promise<CompiledSinkhornResult> {
  const owner = "compiledSinkhorn";
  const { eta, backend, dtype = "float64", maxIter = 1000, stepsPerRun = 10, signal, onProgress } = options;
  const { tol = dtype === "float32" ? 1e-5 : 1e-9 } = options;
  checkEta(owner, eta);
  checkIterations(owner, "maxIter", maxIter);
  checkTolerance(owner, "tol", tol);
  if (!Number.isSafeInteger(stepsPerRun) || stepsPerRun < 1) {
    throw new ValueError(`${owner}: stepsPerRun is ${stepsPerRun}; it must be an integer >= 1`);
  }
  if (dtype !== "float32" && dtype !== "float64") {
    throw new ValueError(`${owner}: dtype is "${dtype}"; it must be "float32" or "float64"`);
  }
  const { n, m, cost, r, c } = readProblem(owner, problem);
  const given = (data: Float64Array, shape: number[]) => cast(hostTensor(data, shape, "float64"), dtype);
  const K = given(
    cost.map((value) => eta * value),
    [n, m],
  );
  const [rows, columns] = [given(r, [n]), given(c, [m])];
  const run = jit(
    (v: Tensor, scaledCost: Tensor, r: Tensor, c: Tensor) => sinkhornRun(v, scaledCost, r, c, stepsPerRun),
    {
      backend,
    },
  );
  try {
    let v = given(new Float64Array(m), [m]);
    for (let iterations = 0; ; ) {
      if (signal?.aborted) throw new AbortedError(`${owner}: aborted by the caller's signal`);
      const next = await run(v, K, rows, columns);
      iterations += stepsPerRun;
      v = next.v;
      const marginalError = (await next.error.host()).item();
      onProgress?.({ iteration: iterations, marginalError });
      if (marginalError > tol && iterations < maxIter) continue;
      const [u, final, plan] = await Promise.all([next.u.host(), v.host(), next.plan.host()]);
      const status = marginalError <= tol ? "converged" : "maxIterations";
      return { plan, x: mul(u, 1 / eta), y: mul(final, 1 / eta), marginalError, status, iterations };
    }
  } finally {
    await run.release();
  }
}

/** `steps` iterations from the potentials v = eta y of the columns, then the plan and its marginal error. */
function sinkhornRun(v: Tensor, K: Tensor, r: Tensor, c: Tensor, steps: number) {
  const [logR, logC] = [add(log(r), 1), add(log(c), 1)];
  let u = logR;
  for (let t = 0; t < steps; t++) {
    u = sub(logR, logSumExp(sub(expandDims(v, 0), K), { axis: 1 }));
    v = sub(logC, logSumExp(sub(expandDims(u, 1), K), { axis: 0 }));
  }
  const plan = exp(sub(sub(add(expandDims(u, 1), expandDims(v, 0)), K), 1));
  const error = add(sum(abs(sub(sum(plan, { axis: 1 }), r))), sum(abs(sub(sum(plan, { axis: 0 }), c))));
  return { u, v, plan, error };
}
