import { integrate } from "@offprint/ode";
import type { OdeModel } from "@offprint/ode/fit";
import {
  add,
  broadcastTo,
  checkOptions,
  concatenate,
  eye,
  isTensor,
  jitSync,
  jvp,
  matmul,
  mean,
  mul,
  NonFiniteError,
  type Rng,
  requireFinite,
  requireInteger,
  requireObject,
  reshape,
  ShapeError,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tanh,
  ValueError,
  vmap,
  zeros,
} from "@offprint/tensor-core";
import { type Flowing, flowing } from "./higher-order.js";

/** A layer `[z, t] w + b` of the network of a flow. */
export interface FlowLayer {
  /** `[inputs + 1, outputs]` */
  readonly w: Tensor;
  /** `[outputs]` */
  readonly b: Tensor;
}

/** What a flow learns. */
export interface FlowParameters {
  /** With tanh between them. */
  readonly layers: readonly FlowLayer[];
}

/** Points, and the directions that the trace of a solve is estimated with. */
export interface FlowBatch {
  /** `[batch, features]` */
  readonly x: Tensor;
  /** Random signs, likewise. */
  readonly e: Tensor;
}

/** Options of {@link densityFlow}. */
export interface DensityFlowOptions {
  /** Numbers of a point. */
  readonly features: number;
  /** Widths of the hidden layers (default two of 64). */
  readonly hidden?: readonly number[];
}

/** A density as the normal one that an equation carries points to. */
export interface DensityFlow {
  /** For {@link fitOde}: the loss is the mean negative logarithm of the density. */
  readonly model: OdeModel<FlowParameters, Flowing, FlowBatch>;
  /** Draws parameters in float64. */
  init(rng: Rng): FlowParameters;
  /** The batches of an epoch, of so many points in a random order; what fills no batch is left for the next epoch. */
  batches(points: Tensor, batchSize: number): (epoch: number, rng: Rng) => Iterable<FlowBatch>;
  /**
   * The logarithm of the density at points, `[count]`, with the trace from all directions.
   * @throws NonFiniteError where points lie too far out to be solved.
   */
  logDensity(params: FlowParameters, points: Tensor): { readonly values: Tensor; readonly evaluations: number };
  /** Draws points, `[count, features]`. */
  sample(params: FlowParameters, rng: Rng, count: number): Tensor;
}

const withTime = (t: Tensor, z: Tensor) => concatenate([z, broadcastTo(reshape(t, [1, 1]), [z.shape[0], 1])], 1);

function velocity(t: Tensor, z: Tensor, { layers }: FlowParameters): Tensor {
  return layers.reduce((x, { w, b }, i) => add(matmul(withTime(t, i === 0 ? x : tanh(x)), w), b), z);
}

/** The rate with the trace of its Jacobian from all directions. */
function exactly(t: Tensor, { z }: Flowing, params: FlowParameters): Flowing {
  const [batch, n] = z.shape as [number, number];
  const basis = reshape(eye(n, n, "float64"), [n, 1, n]);
  const columns = vmap((e: Tensor) => jvp((x: Tensor) => velocity(t, x, params), [z], [broadcastTo(e, [batch, n])])[1])(
    basis,
  );
  return { z: velocity(t, z, params), logDensity: mul(sum(mul(columns, basis), [0, 2]), -1) };
}

/** `log N(z)` of the standard normal distribution, `[batch]`. */
function normalLogDensity(z: Tensor): Tensor {
  return mul(sum(add(square(z), Math.log(2 * Math.PI)), 1), -0.5);
}

const tolerances = { relativeTolerance: 1e-6, absoluteTolerance: 1e-6, maxSteps: 4096, adjoint: "none" } as const;

/** Points of one solve where densities are judged: all directions at once take `features` times the memory. */
const ROWS = 256;

const beginning = (x: Tensor): Flowing => ({ z: x, logDensity: zeros([x.shape[0]], "float64") });

const judged = jitSync((parameters: FlowParameters, x: Tensor) => {
  const { y, evaluations } = integrate(exactly, beginning(x), [0, 1], { parameters, ...tolerances });
  return { values: sub(normalLogDensity(y.z), y.logDensity), evaluations };
});

const drawn = jitSync(
  (parameters: FlowParameters, z: Tensor) => integrate(velocity, z, [1, 0], { parameters, ...tolerances }).y,
);

/**
 * FFJORD: the density of points in any number of dimensions, for {@link fitOde} to learn so that it is fast to solve. Give points
 * of mean 0 and deviation 1, such as `standardization` of `@offprint/data` makes.
 * @throws ValueError
 * @see Grathwohl et al., ICLR 2019; as in Pal et al., ICML 2021, section 4.
 * @example const { params } = await fitOde(flow.model, flow.init(random.rng(0)), flow.batches(points, 100), { optimizer: adam(), epochs: 50, lambda: [100, 10] });
 */
export function densityFlow(options: DensityFlowOptions): DensityFlow {
  const owner = "densityFlow";
  checkOptions(owner, options, ["features", "hidden"], ["features"]);
  const { features, hidden = [64, 64] } = options;
  requireInteger(owner, "features", features, 1);
  if (!Array.isArray(hidden)) throw new ValueError(`${owner}: hidden is ${String(hidden)}; give a list of widths`);
  for (const width of hidden) requireInteger(owner, "hidden", width, 1);
  const extents = [features, ...hidden, features];
  const checked = (of: string, points: Tensor): Tensor => {
    if (!isTensor(points)) throw new ValueError(`${of}: points are no tensor; give one of [count, ${features}]`);
    if (points.rank !== 2 || points.shape[1] !== features) {
      throw new ShapeError(`${of}: points have shape [${points.shape}]; give [count, ${features}]`);
    }
    requireFinite(of, "points", points);
    return points.cast("float64");
  };
  const requireParameters = (of: string, params: FlowParameters): void => {
    const fits = (x: Tensor | undefined, ...shape: number[]) => isTensor(x) && x.shape.join() === shape.join();
    const right = ({ w, b }: FlowLayer, i: number) =>
      fits(w, (extents[i] as number) + 1, extents[i + 1] as number) && fits(b, extents[i + 1] as number);
    if (params?.layers?.length === hidden.length + 1 && params.layers.every(right)) return;
    throw new ValueError(`${of}: params are none of this flow; give those of init or of a training`);
  };
  const requireRng = (of: string, rng: Rng): void => requireObject(of, "rng", rng, "a generator of random.rng(seed)");
  return {
    model: {
      rate: (t, state, params, { e }) => flowing(velocity, e)(t, state, params),
      initial: (_, { x }) => beginning(x),
      loss: (_, { y }) => mul(mean(sub(normalLogDensity(y.z), y.logDensity)), -1),
    },
    init(rng) {
      requireRng("DensityFlow.init", rng);
      const layers = extents.slice(1).map((outputs, i): FlowLayer => {
        const inputs = (extents[i] as number) + 1;
        // The last layer is small, so that points are hardly moved at first.
        const scale = (i === hidden.length ? 0.1 : 1) / Math.sqrt(inputs);
        return {
          w: mul(rng.normal([inputs, outputs], { dtype: "float64" }), scale),
          b: zeros([outputs], "float64"),
        };
      });
      return { layers };
    },
    batches(points, batchSize) {
      const all = checked("DensityFlow.batches", points);
      const [count] = all.shape as [number];
      requireInteger("DensityFlow.batches", "batchSize", batchSize, 1, count);
      return function* (_epoch, rng) {
        const order = rng.permutation(count);
        for (let from = 0; from + batchSize <= count; from += batchSize) {
          const x = take(all, order.slice([{ start: from, stop: from + batchSize }]), 0);
          yield { x, e: rng.bernoulli(x.shape).cast("float64").mul(2).sub(1) };
        }
      };
    },
    logDensity(params, points) {
      const of = "DensityFlow.logDensity";
      requireParameters(of, params);
      const all = checked(of, points);
      const [count] = all.shape as [number];
      const parts: Tensor[] = [];
      let most = 0;
      for (let from = 0; from < count; from += ROWS) {
        const { values, evaluations } = judged(
          params,
          all.slice([{ start: from, stop: Math.min(from + ROWS, count) }]),
        );
        const wrong = values.data().findIndex((value: number) => !Number.isFinite(value));
        if (wrong >= 0) {
          throw new NonFiniteError(
            `${of}: the density at points[${from + wrong}], or of one solved with it, is not finite; give points of about deviation 1`,
          );
        }
        parts.push(values);
        most = Math.max(most, evaluations.item());
      }
      return { values: parts.length === 0 ? zeros([0], "float64") : concatenate(parts), evaluations: most };
    },
    sample(params, rng, count) {
      const of = "DensityFlow.sample";
      requireParameters(of, params);
      requireRng(of, rng);
      requireInteger(of, "count", count, 1);
      return drawn(params, rng.normal([count, features], { dtype: "float64" }));
    },
  };
}
