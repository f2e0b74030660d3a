import { conjugateGradients } from "@offprint/solvers";
import {
  checkOptions,
  DTypeError,
  jitSync,
  random,
  requireFunction,
  requireObject,
  requirePositive,
  ShapeError,
  type Tensor,
  type TensorLike,
  tensor,
  UnsupportedError,
  ValueError,
  vjp,
  zeros,
} from "@offprint/tensor-core";

/** How images were measured: a linear map `A`, in operations of tensors, from `[batch, ...image]` to `[batch, ...]`. */
export interface Measurement {
  /** `A x`. */
  apply(images: Tensor): Tensor;
  /** `A^T y`. */
  transpose(measured: Tensor): Tensor;
  /** `A^+ y`, where it is known; else least squares find it. */
  pseudoInverse?(measured: Tensor): Tensor;
}

/** A measurement, or any differentiable map in operations of tensors, with which runs begin with noise or a latent of one's own. */
export type MeasurementLike = Measurement | ((images: Tensor) => Tensor);

/**
 * A linear map of one's own; its transpose is found by differentiation.
 * @param apply in operations of tensors; must be linear
 * @param imageShape shape of one image
 * @throws ValueError where `apply` is no linear map: where it moves 0, or a sum is not the sum of what its parts become.
 * @example const every2nd = linearMeasurement((x) => x.slice([null, { step: 2 }]), [32]);
 */
export function linearMeasurement(apply: (images: Tensor) => Tensor, imageShape: readonly number[]): Measurement {
  requireFunction("linearMeasurement", "apply", apply);
  requireObject("linearMeasurement", "imageShape", imageShape, "an array of numbers");
  const at = (count: number, dtype: "float32" | "float64") => zeros([count, ...imageShape], dtype);
  if (apply(at(1, "float64")).abs().max().item() !== 0) {
    throw new ValueError("linearMeasurement: apply moves 0, so that it is not linear; leave its constant part out");
  }
  const rng = random.rng("linearMeasurement");
  const [a, b] = [0, 1].map(() => rng.normal([1, ...imageShape], { dtype: "float64" }));
  const parts = [a, b].map((x) => apply(x));
  const size = parts[0].abs().add(parts[1].abs()).max().item();
  // Maps that work in float32 inside are linear to its digits.
  if (!(apply(a.add(b)).sub(parts[0]).sub(parts[1]).abs().max().item() <= 1e-4 * size)) {
    throw new ValueError(
      "linearMeasurement: apply of a sum is not the sum of its parts, so that it is not linear; hand the function itself to a method that takes any map, as stsl and ldps do",
    );
  }
  return {
    apply,
    transpose: (y) => vjp(apply, at(y.shape[0], y.dtype === "float32" ? "float32" : "float64"))[1](y)[0] as Tensor,
  };
}

/** The map of a measurement. */
export function applied(owner: string, measurement: MeasurementLike): (images: Tensor) => Tensor {
  if (typeof measurement === "function") return measurement;
  if (typeof (measurement as Partial<Measurement> | null | undefined)?.apply === "function") {
    return (images) => measurement.apply(images);
  }
  throw new ValueError(`${owner}: the measurement must be { apply, transpose } or a function of images`);
}

/** @throws UnsupportedError for a map without a transpose. */
export function linear(owner: string, measurement: MeasurementLike, why: string): Measurement {
  applied(owner, measurement);
  if (typeof measurement !== "function" && typeof measurement.transpose === "function") return measurement;
  throw new UnsupportedError(
    `${owner}: ${why} needs the transpose of the measurement; make one with linearMeasurement(apply, imageShape)`,
  );
}

/** How far least squares go. */
export interface LeastSquaresSettings {
  /** Weight of the distance from `towards`, > 0. */
  readonly weight: number;
  /** Images to stay near. Default 0. */
  readonly towards?: Tensor;
  /** Relative residual at which it ends. Default 1e-8. */
  readonly tolerance?: number;
}

const normals = new WeakMap<Measurement, (x: Tensor, weight: Tensor) => Tensor>();

/** `A^T A x + weight x`, compiled once. */
function normalMap(measurement: Measurement): (x: Tensor, weight: Tensor) => Tensor {
  const known = normals.get(measurement);
  if (known !== undefined) return known;
  const made = jitSync((x: Tensor, weight: Tensor) =>
    measurement.transpose(measurement.apply(x)).add(x.mul(weight.cast(x.dtype))),
  );
  normals.set(measurement, made);
  return made;
}

/** The images that minimise `|y - A x|^2 + weight |x - towards|^2`, by conjugate gradients. */
export async function leastSquares(
  measurement: Measurement,
  y: Tensor,
  options: LeastSquaresSettings,
): Promise<Tensor> {
  requireObject("leastSquares", "measurement", measurement, "a Measurement");
  requireObject("leastSquares", "y", y, "a tensor");
  checkOptions("leastSquares", options, ["weight", "towards", "tolerance"], ["weight"]);
  const { weight, towards, tolerance = 1e-8 } = options;

  requirePositive("leastSquares", "weight", weight);
  const back = measurement.transpose(y).cast("float64");
  if (towards !== undefined && towards.shape.join() !== back.shape.join()) {
    throw new ShapeError(`leastSquares: towards has shape [${towards.shape}], images have [${back.shape}]`);
  }
  const right = towards === undefined ? back : back.add(towards.mul(weight));
  const [map, factor] = [normalMap(measurement), tensor(weight, { dtype: "float64" })];
  const { x } = await conjugateGradients(
    (v: Float64Array, out: Float64Array) => {
      out.set(map(tensor(v, { shape: back.shape }), factor).data());
    },
    Float64Array.from(right.data()),
    { tolerance, maxIterations: 200, ...(towards && { initial: Float64Array.from(towards.data()) }) },
  );
  return tensor(x, { shape: back.shape }).cast(y.dtype as "float64");
}

/** `A^+ y`, by its own rule or by least squares with a little weight on small images. */
export async function pseudoInverse(measurement: Measurement, y: Tensor): Promise<Tensor> {
  return measurement.pseudoInverse?.(y) ?? leastSquares(measurement, y, { weight: 1e-3 });
}

/** @internal A tensor of what was given. @throws DTypeError that names what is none */
export function readNumbers(owner: string, name: string, x: TensorLike, dtype: "float32" | "float64"): Tensor {
  try {
    return tensor(x, { dtype });
  } catch (cause) {
    if (!(cause instanceof DTypeError)) throw cause;
    throw new DTypeError(`${owner}: ${name} cannot be read: ${cause.message}`, { cause });
  }
}
