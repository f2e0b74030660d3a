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
  const { evaluator, dimension: d } = settleProblem(owner, problem, [points]);
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
    let [inner, moved, slope] = [0, 0, 0];
    for (let j = k * d; j < (k + 1) * d; j++) {
      const step = x[j + d] - x[j];
      inner -= step * gradient[j];
      moved += step * step;
      slope += gradient[j] * gradient[j];
    }
    length[k] = Math.sqrt(moved);
    cosine[k] = inner / Math.sqrt(moved * slope);
  }
  return { energy, cosine, length };
}
