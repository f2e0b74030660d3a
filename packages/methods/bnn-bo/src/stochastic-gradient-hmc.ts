import { makeBreather } from "@offprint/solvers";
import {
  add,
  concatenate,
  div,
  exp,
  full,
  grad,
  greater,
  hostTensor,
  jitSync,
  maximum,
  mean,
  mul,
  type random,
  scan,
  sqrt,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  take,
  where,
} from "@offprint/tensor-core";
import { halfSquares } from "./map-training.js";
import type { RegressionNetwork } from "./regression-network.js";
import type { Standardised } from "./standardise.js";
import type { Variances } from "./tuned-variances.js";

/** How {@link stochasticGradientHmc} runs. */
export interface StochasticGradientSettings {
  readonly burnIn: number;
  readonly samplingSteps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly momentumDecay: number;
  readonly rng: random.Rng;
  readonly signal?: AbortSignal;
}

/** Steps between two weights that are kept, and steps that are one call. */
const [EVERY, CHUNK] = [5, 50];
const TINY = 1e-16;

/** Variables with their scales: all of one shape. */
interface Adaptive {
  readonly at: Tensor;
  readonly momentum: Tensor;
  /** Averages of the gradient, of its square, and how long they remember. */
  readonly g: Tensor;
  readonly v: Tensor;
  readonly tau: Tensor;
}

/**
 * One step (Springenberg et al. 2016): scales are learnt in the burn-in; the noise makes up for the friction.
 * @internal
 */
export function adaptiveStep(
  { at, momentum, g, v, tau }: Adaptive,
  gradient: Tensor,
  normal: Tensor,
  adapting: Tensor,
  { learningRate: lr, momentumDecay }: Pick<StochasticGradientSettings, "learningRate" | "momentumDecay">,
): Adaptive {
  const rate = div(1, add(tau, 1));
  const learnt = (next: Tensor, now: Tensor) => where(adapting, next, now);
  const scales = {
    tau: learnt(add(tau, sub(1, mul(tau, div(square(g), add(v, TINY))))), tau),
    g: learnt(add(g, mul(rate, sub(gradient, g))), g),
    v: learnt(add(v, mul(rate, sub(square(gradient), v))), v),
  };
  const M = div(1, add(sqrt(scales.v), TINY));
  const variance = maximum(sub(mul(2 * lr ** 2 * momentumDecay, M), lr ** 4), TINY);
  const drift = sub(mul(-(lr ** 2), mul(M, gradient)), mul(momentumDecay, momentum));
  const moved = add(momentum, add(drift, mul(sqrt(variance), normal)));
  return { at: add(at, moved), momentum: moved, ...scales };
}

/** Inputs of mean 0 and deviation 1, and weights `[K, P]` learnt on them as weights that see the inputs as they were. */
function standardisedInputs(x: Tensor, [d, units]: readonly number[]) {
  const level = mean(x, 0);
  const squares = sum(square(sub(x, level)), 0);
  const deviation = where(greater(squares, 0), sqrt(div(squares, x.shape[0] - 1)), 1);
  return {
    x: div(sub(x, level), deviation),
    unscaled(weights: Tensor): Tensor {
      const [K, bias] = [weights.shape[0], d * units];
      const W = div(weights.slice([{}, { stop: bias }]).reshape([K, d, units]), deviation.reshape([d, 1]));
      const shift = sum(mul(W, level.reshape([d, 1])), 1);
      const biases = sub(weights.slice([{}, { start: bias, stop: bias + units }]), shift);
      return concatenate([W.reshape([K, bias]), biases, weights.slice([{}, { start: bias + units }])], 1);
    },
  };
}

/** @internal `[samplingSteps / 5, P]` weights. The log variance of the noise is learnt with them, and left out. */
export async function stochasticGradientHmc(
  { size: P, sizes, initial, apply }: RegressionNetwork,
  { x: inputs, y }: Standardised,
  { prior, noise }: Variances,
  settings: StochasticGradientSettings,
): Promise<Tensor> {
  const { burnIn, samplingSteps, batchSize, rng, signal } = settings;
  const n = y.size;
  const { x, unscaled } = standardisedInputs(inputs, sizes);
  // The last variable is the log variance of the noise.
  const loss = (all: Tensor, batchX: Tensor, batchY: Tensor): Tensor => {
    const weights = all.slice([{ start: 0, stop: P }]);
    const logNoise = all.slice([P]);
    const misfit = div(square(sub(batchY, apply(weights, batchX))), exp(logNoise));
    const likelihood = mul(0.5, add(mean(misfit), logNoise));
    return mul(n, add(likelihood, div(halfSquares(weights), prior * n)));
  };
  const slope = grad(loss as never) as unknown as (all: Tensor, batchX: Tensor, batchY: Tensor) => Tensor;
  interface Draws {
    readonly batch: Tensor;
    readonly normal: Tensor;
    readonly adapting: Tensor;
  }
  const steps = jitSync(((start: Adaptive, draws: Draws, X: Tensor, Y: Tensor) =>
    scan(
      (state: Adaptive, { batch, normal, adapting }: Draws): [Adaptive, Tensor] => {
        const gradient = slope(state.at, take(X, batch, 0), take(Y, batch, 0));
        const next = adaptiveStep(state, gradient, normal, adapting, settings);
        return [next, next.at];
      },
      start,
      draws,
    )) as never) as unknown as (start: Adaptive, draws: Draws, X: Tensor, Y: Tensor) => [Adaptive, Tensor];
  const begin = new Float64Array(P + 1);
  begin.set(initial(rng).data());
  begin[P] = Math.log(noise);
  const ones = full([P + 1], 1, "float64");
  let state: Adaptive = {
    at: hostTensor(begin, [P + 1], "float64"),
    momentum: full([P + 1], 0, "float64"),
    g: ones,
    v: ones,
    tau: ones,
  };
  const kept: Tensor[] = [];
  const breather = makeBreather();
  const total = burnIn + samplingSteps;
  for (let done = 0; done < total && !(signal?.aborted && kept.length > 0); done += CHUNK) {
    const length = Math.min(CHUNK, total - done);
    const adapting = hostTensor(
      Uint8Array.from({ length }, (_, k) => (done + k < burnIn ? 1 : 0)),
      [length],
      "bool",
    );
    const [next, path] = steps(
      state,
      {
        batch: rng.randint([length, batchSize], { high: n }),
        normal: rng.normal([length, P + 1], { dtype: "float64" }),
        adapting,
      },
      x,
      y,
    );
    state = next;
    for (let k = 0; k < length; k++) {
      const step = done + k + 1 - burnIn;
      if (step > 0 && step % EVERY === 0) kept.push(path.slice([k, { start: 0, stop: P }]));
    }
    if (breather.due()) await breather.pause();
  }
  return unscaled(kept.length === 0 ? state.at.slice([{ start: 0, stop: P }]).reshape([1, P]) : stack(kept));
}
