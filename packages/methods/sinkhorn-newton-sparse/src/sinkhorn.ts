import { type RunOptions, type RunState, runLoop, runOptionNames } from "@offprint/solvers";
import {
  checkOptions,
  requireChoice,
  requireInteger,
  requireNonNegative,
  requirePositive,
  ValueError,
} from "@offprint/tensor-core";
import { GibbsKernel, type Place } from "./gibbs-kernel.js";
import { KernelSinkhorn, type Scalings } from "./kernel-sinkhorn.js";
import { type Assessment, assess } from "./marginal-error.js";
import type { SnsRecord } from "./record.js";
import { type TransportResult, transportResult } from "./result.js";
import { type NextPotentials, sinkhornIteration } from "./sinkhorn-iteration.js";
import { type Potentials, startFrom } from "./start.js";
import { readProblem, spread, type TransportProblem } from "./transport-problem.js";

/** What a run of `sinkhorn` goes on from. */
export interface SinkhornState {
  /** Potentials. */
  readonly place: Place;
  /** Marginal error and f there. */
  readonly now: Assessment;
  /** Where the next iteration leads, in the log domain. */
  readonly next: NextPotentials | null;
  /** Scalings of the matrix, in the other domains. */
  readonly scalings: Scalings | null;
}

/** Options of `sinkhorn`. */
export interface SinkhornOptions extends RunOptions<SnsRecord, RunState<SinkhornState, SnsRecord>> {
  /** Inverse regularisation, in units of 1 / cost. */
  readonly eta: number;
  /** Most iterations, each an x- and a y-update. Default 1000. */
  readonly maxIterations?: number;
  /** Converged when the marginal error is at most this. Default 1e-11. */
  readonly tolerance?: number;
  /**
   * `"log"` is stable for every eta. `"kernel"` scales exp(-eta C) itself, a matrix-vector product per update, and needs
   * eta (max C - min C) < 500. `"stabilised"` does the same, but absorbs the scalings into the matrix before they get
   * large: fast for every eta. Default `"log"`.
   */
  readonly domain?: "log" | "kernel" | "stabilised";
  /** Over-relaxation in (0, 2), for `"log"`: potentials move by so many times the update. Default 1. */
  readonly omega?: number;
  /** Potentials to begin from. Default 0. */
  readonly initial?: Potentials;
  /** Leaves out rows and columns without mass. Default `false`. */
  readonly dropZeros?: boolean;
}

const optionNames = ["eta", "maxIterations", "tolerance", "domain", "omega", "initial", "dropZeros"];

/** The plain kernel's exponents must not underflow. */
const KERNEL_RANGE = 500;

/**
 * Sinkhorn's iteration alone, the baseline: cheap per step, and the right choice for eta max C below about 100.
 *
 * @throws ShapeError, DTypeError, ValueError for what is wrong with the problem or an option.
 * @example
 * const { plan, iterations } = await sinkhorn({ cost: [[0, 1], [1, 0]] }, { eta: 10 });
 */
export async function sinkhorn(
  problem: TransportProblem,
  options: SinkhornOptions,
): Promise<TransportResult<SinkhornState>> {
  const owner = "sinkhorn";
  checkOptions(owner, options, [...optionNames, ...runOptionNames]);
  requirePositive(owner, "eta", options?.eta);
  const { eta, maxIterations = 1000, tolerance = 1e-11, domain = "log", omega = 1, initial, dropZeros } = options;
  requireInteger(owner, "maxIterations", maxIterations, 0);
  requireNonNegative(owner, "tolerance", tolerance);
  if (!(omega > 0 && omega < 2)) throw new ValueError(`${owner}: omega is ${omega}; over-relaxation lies in (0, 2)`);
  requireChoice(owner, "domain", domain, ["log", "kernel", "stabilised"]);
  if (omega !== 1 && domain !== "log") throw new ValueError(`${owner}: over-relaxation needs domain "log"`);
  const read = readProblem(owner, problem, dropZeros);
  if (domain === "kernel") checkRange(owner, eta, read.cost);
  const kernel = new GibbsKernel(read, eta);
  /** The state at which the kernel stands, and the scalings there. */
  let at: SinkhornState | undefined;
  let scaling: KernelSinkhorn | undefined;
  const stand = (state: SinkhornState) => {
    if (at === state) return;
    kernel.moveTo(state.place);
    if (state.scalings !== null) scaling = new KernelSinkhorn(kernel, domain === "stabilised", state.scalings);
    at = state;
  };
  const run = await runLoop<SinkhornState, SnsRecord>(
    {
      owner,
      limit: maxIterations,
      initial: () => {
        startFrom(owner, kernel, read, initial);
        const now = assess(kernel, kernel.evaluate());
        if (domain !== "log") scaling = new KernelSinkhorn(kernel, domain === "stabilised");
        at = { place: kernel.place(), now, next: null, scalings: scaling?.scalings ?? null };
        return at;
      },
      step: (state) => {
        stand(state);
        const after = scaling === undefined ? sinkhornIteration(kernel, state.next ?? undefined, omega) : undefined;
        const now = after ?? (scaling as KernelSinkhorn).step();
        at = {
          place: kernel.place(),
          now: { error: now.error, f: now.f },
          next: after?.next ?? null,
          scalings: scaling?.scalings ?? null,
        };
        return at;
      },
      record: ({ now }, iteration) => ({
        iteration,
        stage: "sinkhorn",
        eta,
        marginalError: now.error,
        f: now.f,
        alpha: 1,
        cgSteps: 0,
        kept: 0,
        shift: 0,
      }),
      finished: ({ now }) => (now.error <= tolerance ? "converged" : undefined),
      check: ({ place }) => {
        if (place?.u?.length === kernel.n && place.v?.length === kernel.m) return;
        throw new ValueError(
          `${owner}: resume is not the state of a problem with ${kernel.n} rows, ${kernel.m} columns`,
        );
      },
    },
    options,
  );
  stand(run.last);
  return transportResult(kernel, read, run, tolerance);
}

function checkRange(owner: string, eta: number, cost: Float64Array): void {
  const { least, most } = spread(cost);
  if (eta * (most - least) < KERNEL_RANGE) return;
  throw new ValueError(
    `${owner}: eta (max C - min C) is ${eta * (most - least)}; from ${KERNEL_RANGE} on exp(-eta C) underflows: take ` +
      'domain "stabilised" or "log"',
  );
}
