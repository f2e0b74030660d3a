import {
  add,
  div,
  grad,
  jitSync,
  matmul,
  mean,
  random,
  square,
  sub,
  type Tensor,
  tensor,
  zerosLike,
} from "@offprint/tensor-core";
import { adamDirection } from "./adaptive-rules.js";

/** Steps of Adam on all rows, and the learning rate. */
const STEPS = 400;
const RATE = 0.01;

/** The mean of linear heads trained by Adam from different first weights. */
export function trainedHead(phi: Tensor, y: Tensor, count: number, seed: number | string): Tensor {
  const d = phi.shape[1];
  const step = jitSync((weights: Tensor, first: Tensor, second: Tensor, t: Tensor, x: Tensor, scores: Tensor) => {
    const g = grad((w: Tensor) => mean(square(sub(matmul(x, w), scores))))(weights);
    const { direction, moments } = adamDirection(g, { first, second }, t);
    return [sub(weights, direction.mul(RATE)), moments.first, moments.second];
  });
  const heads = Array.from({ length: count }, (_, k) => {
    const drawn = random.rng(`${seed}/head/${k}`).normal([d], { std: 1 / Math.sqrt(d), dtype: "float64" });
    let state = [drawn, zerosLike(drawn), zerosLike(drawn)];
    for (let t = 1; t <= STEPS; t++)
      state = step(state[0], state[1], state[2], tensor(t, { dtype: "float64" }), phi, y);
    return state[0];
  });
  return div(heads.reduce(add), count);
}
