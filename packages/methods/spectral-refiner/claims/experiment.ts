import { type ClaimContext, memo } from "@offprint/claims";
import { random, type Tensor, tensor } from "@offprint/tensor-core";
import {
  type FlowFamily,
  type Forecast,
  fitOperator,
  flowOperator,
  forcedFlows,
  framesOf,
  generateFlows,
  persistence,
  relativeError,
} from "../src/index.js";

/** Frames in and out, and the time between them. */
export const WINDOW = 10;
/** Time between two frames. */
export const SPACING = 0.2;

/** Sizes of the experiment. */
export interface Effort {
  readonly points: number;
  readonly flows: number;
  readonly tests: number;
  readonly epochs: number;
}

const sizes: Record<ClaimContext["scale"], Effort> = {
  quick: { points: 16, flows: 24, tests: 2, epochs: 8 },
  full: { points: 32, flows: 40, tests: 4, epochs: 12 },
};

/** One flow that was not seen in training. */
export interface Case {
  /** The known frames, `[10, n, n]`. */
  readonly window: Tensor;
  /** The frames to be predicted, likewise. */
  readonly truth: Tensor;
  /** The last known frame repeated. */
  readonly still: Forecast;
}

/** Flows for tests. */
export interface Flows {
  readonly family: FlowFamily;
  readonly cases: readonly Case[];
}

function caseOf(frames: Tensor): Case {
  const window = frames.slice([{ stop: WINDOW }]);
  const truth = frames.slice([{ start: WINDOW, stop: 2 * WINDOW }]);
  return { window, truth, still: persistence(window.slice([-1]), WINDOW) };
}

/** Runs flows of the family; `[count, frames, n, n]`. */
async function run(family: FlowFamily, count: number, name: string, frames: number, signal?: AbortSignal) {
  const settings = { stepSize: 0.02, spacing: SPACING, warmUp: 5, frames };
  return (await generateFlows(family, { ...settings, count, rng: random.rng(name), signal })).frames;
}

/** Flows for claims that need no network, on the small grid. */
export const flows = memo(async ({ seed, scale, signal }: ClaimContext): Promise<Flows> => {
  const family = forcedFlows({ points: 16 });
  const count = scale === "full" ? 4 : 1;
  const all = await run(family, count, `flows/${seed}`, 2 * WINDOW, signal);
  return { family, cases: Array.from({ length: count }, (_, i) => caseOf(all.slice([i]))) };
});

/** Forecasts of a network that was trained for a few epochs. */
export interface Trained extends Flows {
  /** Its forecasts, one for each case. */
  readonly forecasts: readonly Forecast[];
}

/** Trains the network on generated flows and forecasts others; `effort` other than usual is for tests. */
export const trained = memo(
  async ({ seed, scale, signal, onProgress }: ClaimContext, effort?: Effort): Promise<Trained> => {
    const { points, flows: count, tests, epochs } = effort ?? sizes[scale];
    const family = forcedFlows({ points });
    const all = await run(family, count + tests, `trained/${seed}`, 24, signal);
    await onProgress(0.2);
    const operator = flowOperator({ modes: [6, 6, 5], width: 6, layers: 3 });
    const { params } = await fitOperator(operator, tensor(all.slice([{ stop: count }]), { dtype: "float32" }), {
      window: [WINDOW, WINDOW],
      epochs,
      seed,
      signal,
    });
    await onProgress(1);
    const cases = Array.from({ length: tests }, (_, i) => caseOf(all.slice([count + i])));
    const forecasts = cases.map(({ window }) =>
      operator.forecast(params, tensor(window, { dtype: "float32" }), WINDOW),
    );
    return { family, cases, forecasts };
  },
);

/** The relative error of frames in space and time. */
export function errorOf(frames: Tensor, { truth }: Case): number {
  return relativeError(frames.expandDims(0), truth.expandDims(0)).item();
}

/** The same of a forecast. */
export function forecastError(forecast: Forecast, test: Case): number {
  return errorOf(framesOf(forecast), test);
}
