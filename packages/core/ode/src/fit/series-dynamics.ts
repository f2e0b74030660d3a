import {
  abs,
  add,
  checkOptions,
  div,
  floor,
  matmul,
  max,
  mean,
  mul,
  type Rng,
  requireFinite,
  requireInteger,
  requireObject,
  ShapeError,
  square,
  sub,
  type Tensor,
  tanh,
  tensor,
  ValueError,
  zeros,
} from "@offprint/tensor-core";
import { integrate } from "../integrate.js";
import { timesOf } from "../options.js";
import type { OdeSolving, PlainOdeModel } from "./fit-options.js";

/** A network of one hidden layer, `tanh(z w1 + b1) w2 + b2`. */
export interface RateNetwork {
  /** `[quantities, hidden]` */
  readonly w1: Tensor;
  /** `[hidden]` */
  readonly b1: Tensor;
  /** `[hidden, quantities]` */
  readonly w2: Tensor;
  /** `[quantities]` */
  readonly b2: Tensor;
}

/** Options of {@link seriesDynamics}. */
export interface SeriesDynamicsOptions {
  /** `[rows]`, growing, at least two. */
  readonly times: readonly number[];
  /** `[rows, quantities]` */
  readonly values: Tensor;
  /** Width of the network. Default 32. */
  readonly hidden?: number;
  /** Rows that are solved in one go; 0 for all. Default 10. */
  readonly stretch?: number;
}

/** A neural ODE of series, for whatever trains a model with a differential equation in it. */
export interface SeriesDynamics {
  /** The model; a batch is not looked at. */
  readonly model: PlainOdeModel<RateNetwork, Tensor, Tensor>;
  /** Draws parameters in float64. */
  readonly init: (rng: Rng) => RateNetwork;
  /** The one batch of an epoch. */
  readonly batches: () => readonly Tensor[];
  /** How stretches are solved. */
  readonly solving: Required<Pick<OdeSolving, "span" | "saveAt" | "maxSteps">>;
  /** The course from the first row on, `[rows, quantities]` in the units of the values. */
  readonly course: (
    params: RateNetwork,
    tolerance: number,
  ) => { readonly values: Tensor; readonly evaluations: number };
  /** What belongs to parameters in a file: `centre` and `scale` of the quantities, first time and length of the `span`. */
  readonly scaling: { readonly centre: Tensor; readonly scale: Tensor; readonly span: Tensor };
}

const rate = (_t: Tensor, z: Tensor, { w1, b1, w2, b2 }: RateNetwork) =>
  add(matmul(tanh(add(matmul(z, w1), b1)), w2), b2);

/**
 * The dynamics of series as a network's rate of change, quantities centred and scaled, and the whole span of length 1. In
 * training, stretches begin at rows and are as long as the longest among them: all are solved as one batch.
 * @throws ShapeError, ValueError
 */
export function seriesDynamics(options: SeriesDynamicsOptions): SeriesDynamics {
  const owner = "seriesDynamics";
  checkOptions(owner, options, ["times", "values", "hidden", "stretch"], ["times", "values"]);
  const { values: seen, hidden = 32, stretch = 10 } = options;
  const times = timesOf(owner, "times", options.times);
  requireObject(owner, "values", seen, "a tensor");
  requireFinite(owner, "values", seen);
  requireInteger(owner, "hidden", hidden, 1);
  requireInteger(owner, "stretch", stretch, 0);
  if (times.length < 2 || seen.rank !== 2 || seen.shape[0] !== times.length) {
    throw new ShapeError(
      `${owner}: values have shape [${seen.shape}]; give [rows, quantities], two rows at least, and a time for each (${times.length})`,
    );
  }
  const back = times.findIndex((t, i) => i > 0 && !(t > (times[i - 1] as number)));
  if (back > 0)
    throw new ValueError(`${owner}: times[${back}] is ${times[back]}, after ${times[back - 1]}; they must grow`);
  const quantities = seen.shape[1] as number;
  const unit = unitsOf(seen);
  const relative = div(seen, unit);
  const middle = mean(relative, 0);
  // A constant is scaled by what its rounding stays far below, so that it stays constant.
  const spread = relative.std({ axis: 0 }).maximum(1e-13);
  const values = div(sub(relative, middle), spread);
  const [centre, scale] = [mul(middle, unit), mul(spread, unit)];
  const [first, duration] = [times[0] as number, (times.at(-1) as number) - (times[0] as number)];
  const scaled = times.map((t) => (t - first) / duration);
  const length = stretch === 0 ? times.length - 1 : Math.min(stretch, times.length - 1);
  // The last one ends with the last row, whatever the number of rows: it overlaps the one before.
  const latest = times.length - 1 - length;
  const starts = Array.from({ length: Math.ceil(latest / length) + 1 }, (_, i) => Math.min(i * length, latest));
  const rows = (offset: number) => values.take(tensor(Int32Array.from(starts, (s) => s + offset)), 0);
  const targets = Array.from({ length }, (_, k) => rows(k + 1));
  const saveAt = Array.from({ length }, (_, k) => k + 1);
  // In the time s, k to k + 1 between rows, every stretch runs at its own speed.
  const speeds = tensor(
    saveAt.map((k) => starts.map((s) => (scaled[s + k] as number) - (scaled[s + k - 1] as number))),
    { dtype: "float64" },
  );
  const speedAt = (t: Tensor) => {
    const row = floor(t)
      .clip(0, length - 1)
      .cast("int32");
    return speeds.take(row, 0).reshape([starts.length, 1]);
  };
  const start = rows(0);
  return {
    model: {
      rate: (t, z, network) => rate(t, z, network).mul(speedAt(t)),
      initial: () => start,
      loss: (_, { ys }) =>
        targets
          .map((y, k) => mean(square(sub((ys as Tensor).slice([k]), y))))
          .reduce((a, b) => add(a, b))
          .div(length),
    },
    init(rng) {
      const layer = (inputs: number, outputs: number) =>
        div(rng.normal([inputs, outputs], { dtype: "float64" }), Math.sqrt(inputs));
      return {
        w1: layer(quantities, hidden),
        b1: zeros([hidden], "float64"),
        w2: layer(hidden, quantities),
        b2: zeros([quantities], "float64"),
      };
    },
    batches: () => [tensor([0], { dtype: "float64" })],
    solving: { span: [0, length], saveAt, maxSteps: 64 * (length + 1) },
    course(params, tolerance) {
      const whole = integrate(rate, values.slice([{ stop: 1 }]), [0, 1], {
        parameters: params,
        saveAt: scaled,
        relativeTolerance: tolerance,
        absoluteTolerance: tolerance,
        maxSteps: 4096,
        adjoint: "none",
      });
      const fitted = mul(add(whole.ys.reshape([times.length, quantities]).mul(spread), middle), unit);
      return { values: fitted, evaluations: whole.evaluations.item() };
    },
    scaling: { centre, scale, span: tensor([first, duration], { dtype: "float64" }) },
  };
}

/** Powers of two below the largest value of each quantity: of numbers over them no square overflows or vanishes. */
function unitsOf(values: Tensor): Tensor {
  const largest = max(abs(values), 0).data();
  return tensor(
    Float64Array.from(largest, (v) => (v > 0 ? 2 ** Math.floor(Math.log2(v)) : 1)),
    { dtype: "float64" },
  );
}
