import { initializers, type LinearParams, linear, mlp } from "@offprint/nn";
import {
  abs,
  add,
  checkOptions,
  concatenate,
  greater,
  matmul,
  max,
  moveAxis,
  mul,
  type Rng,
  scan,
  sigmoid,
  split,
  stopGradient,
  sub,
  type Tensor,
  tanh,
  where,
  zeros,
} from "@offprint/tensor-core";

/** Series on one grid of times. */
export interface GriddedSeries {
  /** `[m]`, growing. */
  readonly times: Tensor;
  /** `[n, m, d]`; what the mask leaves out is not looked at. */
  readonly values: Tensor;
  /** `[n, m, d]`: 1 where something was seen, else 0. */
  readonly mask: Tensor;
}

/** A normal distribution of latent states with independent entries. */
export interface LatentNormal {
  /** `[n, latent]`. */
  readonly mean: Tensor;
  /** `[n, latent]`. */
  readonly logVariance: Tensor;
}

/** Extents of an encoder. */
export interface SeriesEncoderSizes {
  /** Quantities that are seen, `d`. */
  readonly features: number;
  /** Mean and deviation that the recurrent unit carries: so many numbers each. */
  readonly state: number;
  /** Width of its gates. */
  readonly gate: number;
  /** Numbers of the latent state. */
  readonly latent: number;
}

/** Parameters of a {@link seriesEncoder}. */
export interface SeriesEncoderParameters {
  /** What is seen, to the first layers of both gates and of the candidate. */
  readonly seen: LinearParams;
  /** The state, to the first layers of both gates. */
  readonly gates: LinearParams;
  /** The state, reset, to the first layer of the candidate. */
  readonly memory: LinearParams;
  /** Second layer of the update gate. */
  readonly update: LinearParams;
  /** Second layer of the reset gate. */
  readonly reset: LinearParams;
  /** Second layer of the candidate. */
  readonly candidate: LinearParams;
  /** From the last state to mean and log variance. */
  readonly head: readonly LinearParams[];
}

/**
 * How long before the entry that is taken in before it each is, `[m, n, 1]`: the next one of its series with something seen, else the
 * last time.
 */
function elapsed(times: Tensor, seen: Tensor): Tensor {
  const [m, n] = seen.shape;
  const end = add(times.slice([m - 1]), zeros([n, 1], "float64"));
  const [, before] = scan(
    (next: Tensor, [time, there]: readonly [Tensor, Tensor]): [Tensor, Tensor] => [
      where(there, time, next),
      sub(next, time),
    ],
    end,
    [times, seen] as const,
    { reverse: true },
  );
  return before;
}

/**
 * A recurrent encoder of irregular series: a gated unit that carries mean and deviation runs backwards over values, mask and times between;
 * times at which nothing of a series was seen leave it as it is. What it ends with gives the distribution of the first latent state.
 * @see Rubanova, Chen, Duvenaud 2019. With Pal et al.'s gates of two layers, and the candidate's mean for the mean.
 */
export function seriesEncoder(sizes: SeriesEncoderSizes) {
  const names = ["features", "state", "gate", "latent"];
  checkOptions("seriesEncoder", sizes, names, names);
  const { features, state, gate, latent } = sizes;
  const inputs = 2 * features + 1;
  // Layers of two inputs, cut in two: the part of what is seen meets its weights for all times in one product.
  const weightInit: typeof initializers.uniformFanIn = (rng, shape, { outputs }, dtype) =>
    initializers.uniformFanIn(rng, shape, { inputs: inputs + 2 * state, outputs }, dtype);
  const layers = {
    seen: linear({ inputs, outputs: 3 * gate, weightInit, biasInit: weightInit }),
    gates: linear({ inputs: 2 * state, outputs: 2 * gate, bias: false, weightInit }),
    memory: linear({ inputs: 2 * state, outputs: gate, bias: false, weightInit }),
    update: linear({ inputs: gate, outputs: state }),
    reset: linear({ inputs: gate, outputs: state }),
    candidate: linear({ inputs: gate, outputs: 2 * state }),
    head: mlp({ sizes: [2 * state, state, 2 * latent], activation: "tanh" }),
  };
  return {
    /** Draws first parameters, float64. */
    init(rng: Rng): SeriesEncoderParameters {
      const of = <P>(name: string, layer: { init(rng: Rng, dtype: "float64"): P }) =>
        layer.init(rng.fork(name), "float64");
      return {
        seen: of("seen", layers.seen),
        gates: of("gates", layers.gates),
        memory: of("memory", layers.memory),
        update: of("update", layers.update),
        reset: of("reset", layers.reset),
        candidate: of("candidate", layers.candidate),
        head: of("head", layers.head),
      };
    },
    /** The distribution of the latent state at the first time. */
    apply(params: SeriesEncoderParameters, series: GriddedSeries): LatentNormal {
      const times = stopGradient(series.times);
      const mask = stopGradient(moveAxis(series.mask, 1, 0));
      const there = greater(mask, 0);
      const values = where(there, stopGradient(moveAxis(series.values, 1, 0)), 0);
      const [, n] = mask.shape;
      const some = greater(max(mask, { axis: 2, keepDims: true }), 0);
      const input = layers.seen.apply(params.seen, concatenate([values, mask, elapsed(times, some)], 2));
      type State = { readonly mean: Tensor; readonly deviation: Tensor };
      const step = ({ mean, deviation }: State, [x, seen]: readonly [Tensor, Tensor]): [State, null] => {
        const [updateX, resetX, candidateX] = split(x, 3, 1);
        const [updateH, resetH] = split(matmul(concatenate([mean, deviation], 1), params.gates.weight), 2, 1);
        const update = sigmoid(layers.update.apply(params.update, tanh(add(updateX, updateH))));
        const reset = sigmoid(layers.reset.apply(params.reset, tanh(add(resetX, resetH))));
        const kept = concatenate([mul(mean, reset), mul(deviation, reset)], 1);
        const hidden = tanh(add(candidateX, matmul(kept, params.memory.weight)));
        const [newMean, newDeviation] = split(layers.candidate.apply(params.candidate, hidden), 2, 1);
        const blend = (now: Tensor, before: Tensor) => where(seen, add(now, mul(update, sub(before, now))), before);
        return [{ mean: blend(newMean, mean), deviation: abs(blend(abs(newDeviation), deviation)) }, null];
      };
      const nothing = zeros([n, state], "float64");
      const [last] = scan(step, { mean: nothing, deviation: nothing } as State, [input, some] as const, {
        reverse: true,
      });
      const [mean, logVariance] = split(
        layers.head.apply(params.head, concatenate([last.mean, last.deviation], 1)),
        2,
        1,
      );
      return { mean, logVariance };
    },
  };
}
