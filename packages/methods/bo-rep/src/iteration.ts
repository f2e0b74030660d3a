import { addCounts, compiledPhase, type OracleCounts, type VectorProblem } from "@offprint/bilevel";
import { add, cast, div, greater, linalg, mul, sub, type Tensor, tensor, where } from "@offprint/tensor-core";
import { nearestInBall } from "./epoch-sgd.js";
import type { BoRepSettings } from "./options.js";

const float64 = { dtype: "float64" } as const;

/** The variables of an iteration. */
interface Place {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly z: Tensor;
  readonly m: Tensor;
}

interface Steps {
  /** eta */
  readonly length: Tensor;
  /** gamma */
  readonly linear: Tensor;
  /** beta */
  readonly momentum: Tensor;
}

/** `x - a d`, in the dtype of x. */
function minus(x: Tensor, a: Tensor, d: Tensor): Tensor {
  return sub(x, mul(cast(a, x.dtype), d));
}

/** The rest of an iteration, once z's slope and the hypergradient h are known: the mean of h, and a step of fixed length. */
function finish(place: Place, h: Tensor, z: Tensor, steps: Steps, normalize: boolean, project: (x: Tensor) => Tensor) {
  const beta = cast(steps.momentum, h.dtype);
  const m = add(mul(beta, place.m), mul(sub(1, beta), h));
  const norm = linalg.norm(m);
  const moving = greater(norm, 0);
  const direction = normalize ? where(moving, div(m, where(moving, norm, 1)), 0) : m;
  return { x: project(minus(place.x, steps.length, direction)), z, m, norm };
}

/** Four batches: of the gradients of F in x and y, of the products with J and H. */
interface Batches<U, L> {
  readonly gradX: U;
  readonly gradY: U;
  readonly mixed: L;
  readonly product: L;
}

/** The steps on z, m and x, compiled to one function. */
export function outerStep<X, Y, U, L>(
  vectors: VectorProblem<X, Y, U, L>,
  { zOrder, batches, normalize, linearStepSize, momentum }: BoRepSettings,
) {
  const project = (x: Tensor) => vectors.projectX(x);
  const name = `bo-rep: ${zOrder} ${normalize ? "normalised" : "plain"}`;
  const [linear, beta] = [tensor(linearStepSize, float64), tensor(momentum, float64)];
  if (batches === "shared" && zOrder === "jacobi") {
    const phase = compiledPhase(vectors, `${name}, shared`, (d, place: Place, steps: Steps, upper: U, lower: L) => {
      const { x, y, z } = place;
      const gradients = d.gradsF(x, y, upper);
      const products = d.productsG(x, y, z, lower);
      const next = minus(z, steps.linear, sub(products.y, gradients.y));
      return finish(place, sub(gradients.x, products.x), next, steps, normalize, project);
    });
    return (place: Place, length: Tensor, draw: Draw<U, L>) => ({
      ...phase(place, { length, linear, momentum: beta }, draw.upper(), draw.lower()),
      cost: phase.cost,
    });
  }
  const phase = compiledPhase(vectors, name, (d, place: Place, steps: Steps, b: Batches<U, L>) => {
    const { x, y, z } = place;
    const next = minus(z, steps.linear, sub(d.hvpYY(x, y, z, b.product), d.gradYF(x, y, b.gradY)));
    const h = sub(d.gradXF(x, y, b.gradX), d.mixedXY(x, y, zOrder === "jacobi" ? z : next, b.mixed));
    return finish(place, h, next, steps, normalize, project);
  });
  return (place: Place, length: Tensor, draw: Draw<U, L>) => {
    const [gradX, mixed] = [draw.upper(), draw.lower()];
    const shared = batches === "shared";
    const drawn = { gradX, mixed, gradY: shared ? gradX : draw.upper(), product: shared ? mixed : draw.lower() };
    return { ...phase(place, { length, linear, momentum: beta }, drawn), cost: phase.cost };
  };
}

interface Draw<U, L> {
  upper(): U;
  lower(): L;
}

/** UpdateLower: N projected steps around where y is, and the mean that was asked for. */
export function lowerUpdate<X, Y, U, L>(
  vectors: VectorProblem<X, Y, U, L>,
  { lowerStepSize, lowerSteps, radius, average, newWeight }: BoRepSettings,
) {
  const numbers = { stepSize: tensor(lowerStepSize, float64), radius: tensor(radius, float64) };
  const descend = compiledPhase(
    vectors,
    "bo-rep: descent",
    (d, x: Tensor, w: Tensor, centre: Tensor, n: typeof numbers, batch: L) =>
      nearestInBall(vectors.projectY(minus(w, n.stepSize, d.gradYG(x, w, batch))), centre, n.radius),
  );
  return (x: Tensor, centre: Tensor, draw: Draw<U, L>): { y: Tensor; cost: OracleCounts } => {
    let w = centre;
    let mean = centre;
    for (let t = 1; t <= lowerSteps; t++) {
      w = descend(x, w, centre, numbers, draw.lower());
      if (average === "last") continue;
      const share = average === "uniform" ? 1 / t : newWeight;
      mean = t === 1 && average === "uniform" ? w : add(mul(mean, 1 - share), mul(w, share));
    }
    const y = average === "last" ? w : mean;
    return { y, cost: addCounts(descend.cost, descend.cost, lowerSteps - 1) };
  };
}
