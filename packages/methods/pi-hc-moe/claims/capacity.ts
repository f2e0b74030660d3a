import { type Claim, figure } from "@offprint/claims";
import { concatenate, random, type Tensor } from "@offprint/tensor-core";
import { burgers, fourierBasis, solveBurgers } from "../src/index.js";
import { type Method, published } from "./method.js";
import { waves } from "./waves.js";

/** More experts say more with the same functions. */
export function capacity(method: Method = published): Claim {
  return {
    id: "untrained-capacity",
    statement: "With the functions of an untrained network, more experts come nearer to the solution",
    source: "Section 3, why experts help",
    paper: "local weights are more expressive",
    async run({ rng, seed }) {
      const [points, length] = [32, 4];
      const pde = burgers({ points, length });
      const fine = waves(rng, 8, 128);
      const reference = await solveBurgers(fine, { points, length, stepsBetween: 40 });
      const initial = fine.slice([null, { step: 4 }]);
      const size = reference.square().sum([1, 2]).sqrt();
      const twice = (x: Tensor) => concatenate([x, x], 0);
      const problem = { initial: twice(initial) };
      const [known, sizes] = [twice(reference), twice(size)];
      // Two networks on all initial conditions, as one batch.
      const basisOf = (basis: number) => {
        const network = fourierBasis({ inputs: 4, basis, width: 16, layers: 3, modes: [6, 6], hidden: 32 });
        const apply = (k: number) =>
          network.apply(network.init(random.rng(`${seed}/${k}`), "float64"), pde.input({ initial }));
        return concatenate([apply(0), apply(1)], 0);
      };
      const errorOf = (basis: Tensor, experts: number) => {
        const options = { experts: [1, experts], ridge: 0.1, maxIterations: 12 };
        const { u } = method.hardConstraint(basis, pde, problem, options);
        return u.sub(known).square().sum([1, 2]).sqrt().div(sizes).mean().item();
      };
      const [ofFour, ofEight] = [basisOf(4), basisOf(8)];
      const four = [1, 2, 4].map((k) => errorOf(ofFour, k));
      const eight = [1, 2].map((k) => errorOf(ofEight, k));
      return {
        measured: {
          "4 functions": four.map((e) => figure(e, 3)).join(", "),
          "8 functions": eight.map((e) => figure(e, 3)).join(", "),
        },
        holds: four[1] < four[0] && four[2] < four[1] && eight[1] < eight[0],
        detail:
          `mean relative errors of two networks on 8 initial conditions must fall with the number of experts: 1, 2, 4 with 4 functions ` +
          `(${four.map((e) => figure(e)).join(", ")}), 1, 2 with 8 (${eight.map((e) => figure(e)).join(", ")})`,
      };
    },
  };
}
