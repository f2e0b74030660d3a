import {
  type BilevelProblem,
  type BilevelResult,
  type BilevelRunOptions,
  checkBilevelOptions,
  noCounts,
  type OracleCounts,
  type Rate,
  rateTensors,
  runBilevel,
  VectorProblem,
} from "@offprint/bilevel";
import {
  add,
  eye,
  grad,
  hessian,
  jitSync,
  linalg,
  matmul,
  mul,
  random,
  requireInteger,
  requirePositive,
  ShapeError,
  stopGradient,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
  ValueError,
  zeros,
  zerosLike,
} from "@offprint/tensor-core";

/** A lower level with equations `A y + h(x) = 0`. */
export interface AffineLowerLevel<X> {
  /** A, `[l, dy]`. */
  readonly matrix: Tensor;
  /** h(x), `[l]`; traced. */
  readonly offset: (x: X) => Tensor;
}

/** What AiPOD keeps beside x and y. */
export interface AipodKept {
  /** The correction of E-AiPOD for steps that were not projected, `[dy]`. */
  readonly correction: Tensor;
}

/** Options of {@link aipod}. */
export interface AipodOptions<X, Y> extends BilevelRunOptions<X, Y, AipodKept> {
  /** Step of x, > 0. */
  readonly stepSize: Rate;
  /** Step of y, > 0. */
  readonly lowerStepSize: Rate;
  /** S: steps on y in each iteration. Default 5. */
  readonly lowerSteps?: number;
  /** T: steps on x in each iteration. Default 2. */
  readonly upperSteps?: number;
  /** E-AiPOD: the chance that a step on y is projected, in (0, 1]; a correction makes up for the others. Default 1. */
  readonly projectionProbability?: number;
}

const names = ["stepSize", "lowerStepSize", "lowerSteps", "upperSteps", "projectionProbability"];

/**
 * AiPOD and E-AiPOD (Xiao, Shen, Yin and Chen 2023): alternating projected descent where the lower level has affine
 * equations. With V a basis of the null space of A, A+ its pseudo-inverse and w = V (V' H V)+ V' grad_y F, the
 * hypergradient is `grad_x F - (A+ dh)' grad_y F - (J - (A+ dh)' H) w`. Needs second derivatives and factorisations; where
 * the lower level has many solutions nothing moves y among them.
 * @throws ShapeError, ValueError for problems and options that are none; NonFiniteError where it diverges.
 */
export async function aipod<X, Y, U = null, L = U>(
  problem: BilevelProblem<X, Y, U, L>,
  level: AffineLowerLevel<X>,
  options: AipodOptions<X, Y>,
): Promise<BilevelResult<X, Y, AipodKept>> {
  const owner = "aipod";
  checkBilevelOptions(owner, options, names);
  const { lowerSteps = 5, upperSteps = 2, projectionProbability = 1, seed = 0 } = options;
  requireInteger(owner, "lowerSteps", lowerSteps, 1);
  requireInteger(owner, "upperSteps", upperSteps, 1);
  requirePositive(owner, "projectionProbability", projectionProbability);
  if (projectionProbability > 1) {
    throw new ValueError(`${owner}: projectionProbability is ${projectionProbability}; it must be in (0, 1]`);
  }
  const [upperStep, lowerStep] = [options.stepSize, options.lowerStepSize].map((rate, i) =>
    rateTensors(owner, i === 0 ? "stepSize" : "lowerStepSize", rate),
  );
  const vectors = new VectorProblem(owner, problem);
  const phases = phasesOf(vectors, readLevel(owner, vectors, level));
  const cost = costOf(lowerSteps, upperSteps);
  return runBilevel<X, Y, U, L, AipodKept>(
    vectors,
    {
      begin: (_, y) => ({ correction: zerosLike(y) }),
      iterate(point, iteration, draw) {
        let { x, y } = point;
        let { correction } = point.extra;
        const rng = random.rng(`${seed}/projections/${iteration}`);
        const step = lowerStep(iteration);
        for (let s = 0; s < lowerSteps; s++) {
          const free = phases.descend(x, y, correction, step, draw.lower());
          const skipped = projectionProbability < 1 && rng.uniform([]).item() >= projectionProbability;
          const share = step.item() / projectionProbability;
          y = skipped ? free : phases.project(x, sub(free, mul(correction, share)));
          if (projectionProbability < 1) correction = add(correction, mul(sub(y, free), 1 / share));
        }
        let norm = zeros([], "float64");
        for (let t = 0; t < upperSteps; t++) {
          const moved = phases.ascend(x, y, upperStep(iteration), draw.upper(), draw.lower());
          [x, norm] = [moved.x, moved.norm];
        }
        return { x, y, extra: { correction }, hypergradientNorm: norm, cost };
      },
    },
    options,
  );
}

/** Of the lower level: A, its pseudo-inverse, a basis of its null space, and h on vectors. */
interface Level {
  readonly matrix: Tensor;
  readonly inverse: Tensor;
  readonly basis: Tensor;
  readonly offset: (x: Tensor) => Tensor;
}

function readLevel<X, Y, U, L>(owner: string, vectors: VectorProblem<X, Y, U, L>, level: AffineLowerLevel<X>): Level {
  const { matrix, offset } = level ?? {};
  const size = vectors.y.size;
  if (matrix?.rank !== 2 || matrix.shape[1] !== size || typeof offset !== "function") {
    throw new ShapeError(
      `${owner}: the lower level has a matrix of shape [${matrix?.shape}]; give { matrix: [l, ${size}], offset(x) }`,
    );
  }
  const inverse = linalg.pinv(matrix);
  const onto = sub(eye(size, size, "float64"), matmul(inverse, matrix));
  const { values, vectors: directions } = linalg.eigh(onto);
  const spectrum = values.data();
  const free = Int32Array.from([...spectrum.keys()].filter((i) => spectrum[i] > 0.5));
  return { matrix, inverse, basis: take(directions, tensor(free), 1), offset: (x) => offset(vectors.x.unravel(x)) };
}

function phasesOf<X, Y, U, L>(vectors: VectorProblem<X, Y, U, L>, { matrix, inverse, basis, offset }: Level) {
  const derivatives = vectors.derivatives();
  /** `(A+ dh)' v` */
  const through = (x: Tensor, v: Tensor) => {
    const weight = stopGradient(matmul(transpose(inverse), v));
    return grad((at: Tensor) => sum(mul(offset(at), weight)))(x);
  };
  return {
    descend: jitSync((x: Tensor, y: Tensor, correction: Tensor, step: Tensor, batch: L) =>
      sub(y, mul(step, sub(derivatives.gradYG(x, y, batch), correction))),
    ),
    project: jitSync((x: Tensor, y: Tensor) => sub(y, matmul(inverse, add(matmul(matrix, y), offset(x))))),
    ascend: jitSync((x: Tensor, y: Tensor, step: Tensor, upper: U, lower: L) => {
      const { x: gradX, y: gradY } = derivatives.gradsF(x, y, upper);
      const curvature = hessian((at: Tensor) => vectors.lower(x, at, lower))(y);
      const reduced = matmul(transpose(basis), matmul(curvature, basis));
      const w = matmul(basis, matmul(linalg.pinv(reduced), matmul(transpose(basis), gradY)));
      const along = sub(derivatives.mixedXY(x, y, w, lower), through(x, matmul(curvature, w)));
      const direction = sub(sub(gradX, through(x, gradY)), along);
      return { x: vectors.projectX(sub(x, mul(step, direction))), norm: linalg.norm(direction) };
    }),
  };
}

function costOf(lowerSteps: number, upperSteps: number): OracleCounts {
  return { ...noCounts(), gradYG: lowerSteps, gradsF: upperSteps, mixedXY: upperSteps };
}
