import { runLoop, runOptionNames } from "@offprint/solvers";
import {
  checkOptions,
  concatenate,
  div,
  jitSync,
  maximum,
  mul,
  NonFiniteError,
  requirePositive,
  ShapeError,
  slice,
  sqrt,
  square,
  stack,
  sub,
  sum,
  type Tensor,
  type TensorLike,
  vjp,
  zerosLike,
} from "@offprint/tensor-core";
import { largestEigenvalue, type Measurement, measured, requireMeasurement } from "./measurement.js";
import { requireLike } from "./plug-and-play/gradient-descent.js";
import {
  checkedCommon,
  dataTerm,
  firstPoint,
  largestChange,
  type Reconstruction,
  type ReconstructionOptions,
  type ReconstructionRecord,
  reconstructionOptions,
} from "./plug-and-play/reconstruction.js";

/** Where the method of Chambolle and Pock stands. */
export interface TotalVariationState {
  /** The image. */
  readonly x: Tensor;
  /** Its extrapolation. */
  readonly ahead: Tensor;
  /** Dual of the differences: `[2, batch, ...input]`. */
  readonly edges: Tensor;
  /** Dual of the measurement: `[batch, ...output]`. */
  readonly misfit: Tensor;
  /** Largest change of an entry in the last iteration; infinite before the first. */
  readonly change: number;
  /** The objective of each; null before the first iteration. */
  readonly objectives: Float64Array | null;
}

/** Options of {@link totalVariation}. */
export interface TotalVariationOptions extends ReconstructionOptions<TotalVariationState> {
  /** Weight of the total variation, > 0. */
  readonly weight: number;
}

/** Forward differences along the last two axes, 0 at the border: `[2, ...]`. */
function differences(x: Tensor): Tensor {
  const along = (axis: number) => {
    const at = (range: object) => slice(x, [...new Array<null>(axis).fill(null), range as never]);
    return concatenate([sub(at({ start: 1 }), at({ stop: -1 })), zerosLike(at({ stop: 1 }))], axis);
  };
  return stack([along(x.rank - 2), along(x.rank - 1)]);
}

/**
 * `argmin_x s |A x - y|^2 + weight TV(x)` of images by the primal-dual method of Chambolle and Pock (2011), TV being the sum of
 * the lengths of the pixels' forward differences: the baseline without learning.
 * @param measurement Its input ends in `[height, width]`.
 * @throws ValueError, ShapeError; NonFiniteError.
 */
export async function totalVariation(
  measurement: Measurement,
  y: TensorLike,
  options: TotalVariationOptions,
): Promise<Reconstruction<TotalVariationState>> {
  const owner = "totalVariation";
  checkOptions(owner, options, ["weight", ...reconstructionOptions, ...runOptionNames], ["weight"]);
  const { weight } = options;
  const { dataScale, maxIterations, tolerance } = checkedCommon(owner, options);
  requirePositive(owner, "weight", weight);
  requireMeasurement(owner, measurement);
  const { input, apply, adjoint } = measurement;
  if (input.length < 2) throw new ShapeError(`${owner}: input is [${input}]; images end in [height, width]`);
  const data = measured(owner, measurement, y);
  const start = firstPoint(owner, measurement, data, options.initial);
  // |K|^2 of K = (differences, A): at most 8 + |A|^2.
  const step = 0.99 / Math.sqrt(8 + (await largestEigenvalue(measurement)));
  const axes = input.map((_, i) => i + 1);
  const noEdges = zerosLike(differences(start));
  const iterate = jitSync(({ x, ahead, edges, misfit }: Plain, seen: Tensor) => {
    const [, spread] = vjp(differences, x);
    const pushed = edges.add(mul(differences(ahead), step));
    const nextEdges = div(pushed, maximum(div(sqrt(sum(square(pushed), { axis: 0, keepDims: true })), weight), 1));
    const nextMisfit = div(misfit.add(mul(sub(apply(ahead), seen), step)), 1 + step / (2 * dataScale));
    const next = sub(x, mul((spread(nextEdges)[0] as Tensor).add(adjoint(nextMisfit)), step));
    const variation = sum(sqrt(sum(square(differences(next)), 0)), axes);
    return {
      state: { x: next, ahead: sub(mul(next, 2), x), edges: nextEdges, misfit: nextMisfit },
      objectives: dataTerm(measurement, next, seen, dataScale).add(mul(variation, weight)),
    };
  });
  try {
    const { last, ...run } = await runLoop<TotalVariationState, ReconstructionRecord>(
      {
        owner,
        limit: maxIterations,
        initial: () => ({
          x: start,
          ahead: start,
          edges: noEdges,
          misfit: zerosLike(data),
          change: Number.POSITIVE_INFINITY,
          objectives: null,
        }),
        step({ x, ahead, edges, misfit }) {
          const { state, objectives } = iterate({ x, ahead, edges, misfit }, data);
          const change = largestChange(state.x, x);
          if (!objectives.data().every(Number.isFinite)) {
            throw new NonFiniteError("the objective is not finite; give y in a unit in which its squares are numbers");
          }
          return { ...state, change, objectives: Float64Array.from(objectives.data()) };
        },
        record: ({ change, objectives }, iteration) => ({
          iteration,
          change,
          ...(objectives && { objective: objectives.reduce((a, b) => a + b, 0), objectives }),
        }),
        finished: ({ change }) => (tolerance > 0 && change <= tolerance ? "converged" : undefined),
        check: ({ x, ahead, edges, misfit }) => {
          for (const image of [x, ahead]) requireLike(owner, image, start);
          requireLike(owner, edges, noEdges);
          requireLike(owner, misfit, data);
        },
      },
      options,
    );
    return { ...run, x: last.x, ...(last.objectives && { objective: last.objectives }), warnings: [] };
  } finally {
    iterate.release();
  }
}

type Plain = Pick<TotalVariationState, "x" | "ahead" | "edges" | "misfit">;
