import type { Claim } from "@offprint/claims";
import {
  add,
  asTensor,
  exp,
  grad,
  log1p,
  logSumExp,
  mul,
  type random,
  sub,
  sum,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";
import { losses } from "../src/index.js";

/** The losses under test. */
export type Losses = Pick<typeof losses, "logExponential" | "softmax">;

const N = 40;
const CLASSES = 4;

/** `-L'(0) / L''(0)` of `rho -> sum of losses at F + rho phi`, by automatic differentiation. */
function derivedStep(loss: (F: Tensor) => Tensor, F: Tensor, phi: Tensor): number {
  const line = (rho: Tensor) => loss(add(F, mul(rho, phi)));
  const slope = grad(line);
  const zero = tensor(new Float64Array(1)).reshape([]);
  return -slope(zero).item() / grad(slope)(zero).item();
}

function binary(rng: random.Rng, step: Losses["logExponential"]): number {
  const y = rng.rademacher([N], { dtype: "float64" });
  const F = rng.normal([N], { dtype: "float64" });
  const phi = rng.normal([N], { dtype: "float64" });
  const loss = step();
  const [yData, FData, phiData] = [y, F, phi].map((x) => x.data() as Float64Array);
  const r = loss.residuals(yData, FData);
  const derived = derivedStep((at) => sum(log1p(exp(mul(-2, mul(y, at))))), F, phi);
  return Math.abs(loss.step(yData, FData, r, phiData) / derived - 1);
}

/** The same with the diagonal of the Hessian: `sum phi^2 d^2L/dF^2`, by automatic differentiation. */
function multiclass(rng: random.Rng, step: Losses["softmax"]): number {
  const labels = rng.randint([N], { high: CLASSES }).data();
  const coded = new Float64Array(N * CLASSES);
  labels.forEach((k: number, i: number) => {
    coded[i * CLASSES + k] = 1;
  });
  const y = tensor(coded, { shape: [N, CLASSES] });
  const F = rng.normal([N, CLASSES], { dtype: "float64" });
  const phi = rng.normal([N, CLASSES], { dtype: "float64" });
  const total = (at: Tensor) => sum(sub(logSumExp(at, { axis: 1 }), sum(mul(y, at), { axis: 1 })));
  const slope = grad(total);
  let curvature = 0;
  for (let k = 0; k < CLASSES; k++) {
    const column = tensor(Float64Array.from({ length: CLASSES }, (_, j) => (j === k ? 1 : 0)));
    const second = grad((at: Tensor) => sum(mul(slope(at), column)))(F);
    curvature += sum(mul(mul(second, column), mul(phi, phi))).item();
  }
  const derived = -sum(mul(slope(F), phi)).item() / curvature;
  const loss = step(CLASSES);
  const [FData, phiData] = [F, phi].map((x) => asTensor(x).data() as Float64Array);
  return Math.abs(loss.step(coded, FData, loss.residuals(coded, FData), phiData) / derived - 1);
}

/** The closed-form steps are Newton's. */
export function newtonStep(tested: Losses = losses, cases = 20): Claim {
  return {
    id: "newton-step",
    statement: "The step of a block is one Newton step on the loss along the block",
    source: "Section III",
    paper: "exact for two classes; diagonal Hessian for more",
    run(context) {
      let two = 0;
      let more = 0;
      for (let k = 0; k < cases; k++) {
        two = Math.max(two, binary(context.rng, tested.logExponential));
        more = Math.max(more, multiclass(context.rng, tested.softmax));
      }
      return {
        measured: { "two classes": two, "four classes": more },
        holds: two <= 1e-10 && more <= 1e-10,
        detail: `Largest relative difference from the step by automatic differentiation in ${cases} random cases: ${two.toExponential(1)} (two classes), ${more.toExponential(1)} (four classes, diagonal of the Hessian); both at most 1e-10.`,
      };
    },
  };
}
