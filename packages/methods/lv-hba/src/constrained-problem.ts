import { type ConstrainedBilevelProblem, refuseMisspelt, VectorProblem } from "@offprint/bilevel";
import {
  abs,
  add,
  concatenate,
  grad,
  isFinite,
  jitSync,
  jvp,
  max,
  maximum,
  mul,
  random,
  ShapeError,
  slice,
  sqrt,
  square,
  sum,
  type Tensor,
  tensor,
  ValueError,
  vjp,
  where,
} from "@offprint/tensor-core";

/** A constrained problem on vectors. Constraints are divided by `scale`. */
export class ConstrainedProblem<X, Y, U, L> {
  /** x and y as vectors, upper and lower functions. */
  readonly vectors: VectorProblem<X, Y, U, L>;
  /** The nearest feasible pair. */
  readonly project: (x: Tensor, y: Tensor) => { readonly x: Tensor; readonly y: Tensor };
  /** Number of constraints, l. */
  readonly count: number;
  /** Whether each is an equation, `[l]`: 1 or 0. */
  readonly equations: Tensor;
  /** Where the method begins: feasible. */
  readonly initial: { readonly x: Tensor; readonly y: Tensor };

  /** @throws ValueError, ShapeError for what is no problem, and a beginning that cannot be projected. */
  constructor(
    readonly owner: string,
    readonly problem: ConstrainedBilevelProblem<X, Y, U, L>,
  ) {
    const vectors = new VectorProblem(owner, problem);
    for (const name of ["constraints", "projectJointly"] as const) {
      if (typeof problem[name] === "function") continue;
      throw new ValueError(`${owner}: the problem has no function \`${name}\`; give ${name}(x, y)`);
    }
    refuseMisspelt(owner, problem, ["equality"], (value) => [value].flat().every((v) => typeof v === "boolean"));
    this.vectors = vectors;
    // Projections refuse what is not finite; it stays so, and the iteration says that it diverged.
    const orZero = (v: Tensor) => where(isFinite(v), v, 0);
    this.project = (x, y) => {
      const nearest = problem.projectJointly(vectors.x.unravel(orZero(x)), vectors.y.unravel(orZero(y)));
      return { x: add(vectors.x.ravel(nearest.x), mul(x, 0)), y: add(vectors.y.ravel(nearest.y), mul(y, 0)) };
    };
    const values = this.rawConstraints(vectors.initial.x, vectors.initial.y);
    if (values?.rank !== 1) {
      throw new ShapeError(`${owner}: constraints gave shape [${values?.shape}]; it must give a vector [l]`);
    }
    this.count = values.size;
    const { equality = false } = problem;
    if (Array.isArray(equality) && equality.length !== this.count) {
      throw new ShapeError(
        `${owner}: equality has ${equality.length} entries for ${this.count} constraints; give one for each`,
      );
    }
    const flags = Array.from({ length: this.count }, (_, i) =>
      (Array.isArray(equality) ? equality[i] : equality) ? 1 : 0,
    );
    this.equations = tensor(Float64Array.from(flags), { dtype: "float64" });
    this.initial = this.project(vectors.initial.x, vectors.initial.y);
    const { feasibility } = this.measure(this.initial.x, this.initial.y);
    if (!(feasibility <= 1e-6)) {
      throw new ValueError(
        `${owner}: projectJointly takes the beginning to a point that violates the constraints by ${feasibility}; it must give ` +
          "the nearest feasible pair",
      );
    }
  }

  /** g(x, y), as the user gives it. */
  rawConstraints(x: Tensor, y: Tensor): Tensor {
    return this.problem.constraints(this.vectors.x.unravel(x), this.vectors.y.unravel(y));
  }

  /** The nearest y of its own set. */
  projectY(y: Tensor): Tensor {
    return this.vectors.projectY(y);
  }

  /** The largest violation of a constraint. */
  measure(x: Tensor, y: Tensor): { readonly feasibility: number } {
    return { feasibility: violation(this.rawConstraints(x, y), this.equations).item() };
  }

  /** The norm of the constraints' slopes in y at the beginning. */
  slopeNorm(): number {
    const { x, y } = this.initial;
    const g = (w: Tensor) => this.rawConstraints(x, w);
    return normByPowers(y.size, (v) => {
      const [, image] = jvp(g, [y], [v]);
      return { image, next: vjp(g, y)[1](image)[0] };
    });
  }

  /** The norm of the lower function's second derivatives in x and y at the beginning. */
  curvature(): number {
    const { x, y } = this.initial;
    const slope = grad((w: Tensor) =>
      this.vectors.lower(slice(w, [{ stop: x.size }]), slice(w, [{ start: x.size }]), this.vectors.full.lower),
    );
    return normByPowers(x.size + y.size, (v) => {
      const [, image] = jvp(slope, [concatenate([x, y], 0)], [v]);
      return { image, next: image };
    });
  }

  /** What each constraint is divided by, `[l]`. */
  scaleOf(choice: "auto" | "none" | readonly number[]): Tensor {
    const ones = new Float64Array(this.count).fill(1);
    if (choice === "none" || this.count === 0) return tensor(ones, { dtype: "float64" });
    if (choice === "auto") {
      const norm = this.slopeNorm();
      return tensor(
        ones.map(() => (norm > 0 ? norm : 1)),
        { dtype: "float64" },
      );
    }
    const given = choice as readonly number[];
    if (given.length !== this.count || !given.every((s) => s > 0 && s < Infinity)) {
      throw new ValueError(
        `${this.owner}: scaleConstraints must be ${this.count} positive numbers, one for each constraint`,
      );
    }
    return tensor(Float64Array.from(given), { dtype: "float64" });
  }
}

/** The norm of a linear map, `|image|` of the unit vector that the power iteration to `next` comes to. */
function normByPowers(size: number, map: (v: Tensor) => { readonly image: Tensor; readonly next: Tensor }): number {
  const turn = jitSync((v: Tensor) => {
    const { image, next } = map(v);
    const length = sum(square(next));
    return { norm: sqrt(sum(square(image))), next: where(length.greater(0), mul(next, length.pow(-0.5)), next) };
  });
  let v = random.rng("slope").sphere([size], { dtype: "float64" });
  let norm = 0;
  for (let k = 0; k < 100; k++) {
    const { norm: found, next } = turn(v);
    const before = norm;
    [norm, v] = [found.item(), next];
    if (Math.abs(norm - before) <= 1e-6 * norm) break;
  }
  return norm;
}

/** The largest violation: of an equation its size, of an inequality what is above zero. */
export function violation(values: Tensor, equations: Tensor): Tensor {
  if (values.size === 0) return tensor(0, { dtype: "float64" });
  return max(where(equations.greater(0), abs(values), maximum(values, 0)));
}
