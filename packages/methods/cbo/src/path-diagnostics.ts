import { checkOptions, hostTensor, ShapeError, type TensorLike } from "@offprint/tensor-core";
import { type GradientSource, gradientOf } from "./gradient.js";
import { type CboProblem, readTensor, settleProblem } from "./problem.js";

/** How a path of consensus points relates to gradient descent. */
export interface PathDiagnostics {
  /** E at every point of the path, `[points]`. */
  readonly energy: Float64Array;
  /**
   * Cosine of the angle between each move and minus the gradient where it began, `[points - 1]`; NaN where the path
   * rests or the gradient vanishes. Gradient descent has 1.
   */
  readonly cosine: Float64Array;
  /** Length of each move, `[points - 1]`. */
  readonly length: Float64Array;
}

/**
 * Energy along a path, such as the `path` of a result, and how much its moves are those of gradient descent.
 * @param path `[points, d]`
 * @param options.gradient default automatic differentiation, or central differences where that is not possible
 * @throws ShapeError and ValueError for a path that is not finite or of another dimension.
 */
export async function pathDiagnostics(
  problem: CboProblem,
  path: TensorLike,
  options: { gradient?: GradientSource } = {},
): Promise<PathDiagnostics> {
  const owner = "pathDiagnostics";
  checkOptions(owner, options, ["gradient"]);
  const points = readTensor(owner, "path", path);
  const { evaluator, dimension: d } = settleProblem(owner, problem, { path: points });
  if (points.rank !== 2 || points.shape[0] === 0 || points.shape[1] !== d) {
    throw new ShapeError(`${owner}: path has shape [${points.shape}]; give [points, ${d}], at least one point`);
  }
  const x = Float64Array.from(points.data());
  const wide = hostTensor(x, points.shape, "float64");
  const energy = Float64Array.from(await evaluator.evaluate(wide));
  const gradient = await gradientOf(owner, evaluator, d, options.gradient).at(wide);
  const moves = points.shape[0] - 1;
  const [cosine, length] = [new Float64Array(moves), new Float64Array(moves)];
  for (let k = 0; k < moves; k++) {
    const step = Array.from({ length: d }, (_, j) => x[(k + 1) * d + j] - x[k * d + j]);
    const slope = Array.from({ length: d }, (_, j) => Number(gradient[k * d + j]));
    const steepness = Math.hypot(...slope);
    length[k] = Math.hypot(...step);
    // Parts of lengths, whose products are numbers at any size.
    cosine[k] = -step.reduce((inner, own, j) => inner + (own / length[k]) * (slope[j] / steepness), 0);
  }
  return { energy, cosine, length };
}
