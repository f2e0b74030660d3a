import { type Claim, figure } from "@offprint/claims";
import { grad, jitSync, type Tensor, tree } from "@offprint/tensor-core";
import { burgers, type ConstraintOptions, type FourierBasisParams, fourierBasis } from "../src/index.js";
import { type Method, published } from "./method.js";
import { waves } from "./waves.js";

const inner = (a: FourierBasisParams, b: FourierBasisParams): number => {
  const others = tree.leaves<Tensor>(b);
  return tree.leaves<Tensor>(a).reduce((sum, leaf, k) => sum + leaf.mul(others[k]).sum().item(), 0);
};
const along = (p: FourierBasisParams, step: number, d: FourierBasisParams) =>
  tree.map((x: Tensor, v: Tensor) => x.add(v.mul(step)), p, d) as FourierBasisParams;

/** The gradient through the experts' solutions is the true one. */
export function implicitGradient(method: Method = published): Claim {
  return {
    id: "implicit-gradient",
    statement: "The implicit gradient with the full Hessian is exact; with that of Gauss and Newton it is not",
    source: "Section 3, differentiating the constraint",
    paper: "implicit function theorem",
    run({ rng }) {
      const pde = burgers({ times: 8, points: 16 });
      const initial = waves(rng, 2, 16);
      const network = fourierBasis({ inputs: 4, basis: 4, width: 6, layers: 1, modes: [2, 2], hidden: 8 });
      const params = network.init(rng.fork("network"), "float64");
      const direction = tree.map((x: Tensor) => rng.normal([...x.shape], { dtype: "float64" }), params);
      const options: ConstraintOptions = { experts: [1, 2], ridge: 0.1, tolerance: 1e-11, maxIterations: 300 };
      const lossOf = (hessian: "full" | "gaussNewton") => (p: FourierBasisParams) => {
        const basis = network.apply(p, pde.input({ initial }));
        const { fields } = method.hardConstraint(basis, pde, { initial }, { ...options, hessian });
        return pde.residual(fields).square().sum().sqrt();
      };
      const h = 1e-5;
      const value = jitSync(lossOf("full"));
      const at = (step: number) => value(along(params, step, direction)).item();
      const differences = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      const [full, short] = (["full", "gaussNewton"] as const).map((hessian) => grad(lossOf(hessian))(params));
      const off = Math.abs(inner(full, direction) / differences - 1);
      const apart = along(full, -1, short);
      const gaussNewton = Math.sqrt(inner(apart, apart) / inner(full, full));
      return {
        measured: { "full Hessian": off, "Gauss-Newton": gaussNewton },
        holds: off <= 1e-6 && gaussNewton >= 0.01,
        detail:
          `the loss's derivative along a random direction of a network's parameters (8 x 16 points, four functions, two experts) must equal central differences to 1e-6 ` +
          `with the full Hessian (${figure(off)}); with J^T J alone the gradient must be off by 1 % at least (${figure(100 * gaussNewton)} %)`,
      };
    },
  };
}
