import { type Claim, figure } from "@offprint/claims";
import { jacobian, linalg, type Rng, reshape, sub, type Tensor, tensor } from "@offprint/tensor-core";
import type { Lpn, LpnParams } from "../src/index.js";
import { type Method, method } from "./method.js";

const f64 = (values: Float64Array, shape: number[]) => tensor(values, { shape, dtype: "float64" });

/** Side of the grids that close in on a minimum, and how much smaller the next one is. */
const [SIDE, ZOOM, LEVELS] = [7, 2.5, 14];

/** `argmin_x |x - y|^2 / 2 + phi(x)` of each y by grids alone, phi through inversion. */
async function bruteForce(m: Method, model: Lpn, params: LpnParams, y: Tensor): Promise<Float64Array> {
  const count = y.shape[0];
  const centres = new Float64Array(2 * count);
  let half = 4;
  for (let level = 0; level < LEVELS; level++, half /= ZOOM) {
    const points = new Float64Array(2 * count * SIDE * SIDE);
    for (let k = 0, at = 0; k < count; k++) {
      for (let i = 0; i < SIDE * SIDE; i++, at += 2) {
        points[at] = centres[2 * k] + half * ((2 * (i % SIDE)) / (SIDE - 1) - 1);
        points[at + 1] = centres[2 * k + 1] + half * ((2 * Math.floor(i / SIDE)) / (SIDE - 1) - 1);
      }
    }
    const { value } = await m.regularizer(model, params, f64(points, [count * SIDE * SIDE, 2]), {
      inverter: "leastSquares",
      tolerance: 1e-9,
      maxIterations: 100,
    });
    const phi = value.data();
    const to = y.data();
    for (let k = 0; k < count; k++) {
      let [best, least] = [0, Number.POSITIVE_INFINITY];
      for (let i = k * SIDE * SIDE; i < (k + 1) * SIDE * SIDE; i++) {
        const objective = ((points[2 * i] - to[2 * k]) ** 2 + (points[2 * i + 1] - to[2 * k + 1]) ** 2) / 2 + phi[i];
        if (objective < least) [best, least] = [i, objective];
      }
      centres.set(points.subarray(2 * best, 2 * best + 2), 2 * k);
    }
  }
  return centres;
}

/** The largest asymmetry of f's Jacobian, and its least eigenvalue. */
function ofJacobian(model: Lpn, params: LpnParams, y: Tensor): { asymmetry: number; least: number } {
  const at = jacobian((v: Tensor) => reshape(model.prox(params, reshape(v, [1, 2])), [2]));
  let [asymmetry, least] = [0, Number.POSITIVE_INFINITY];
  for (let k = 0; k < y.shape[0]; k++) {
    const j = at(y.slice([k]));
    asymmetry = Math.max(asymmetry, sub(j, j.transpose()).abs().max().item());
    least = Math.min(least, linalg.eigvalsh(j.add(j.transpose()).div(2)).min().item());
  }
  return { asymmetry, least };
}

const alpha = 0.05;

/** A network that has not been trained at all is a proximal operator. */
export function exactProx(m: Method = method, drawn = (model: Lpn, rng: Rng) => model.init(rng, "float64")): Claim {
  return {
    id: "exact-prox",
    statement:
      "Whatever its parameters are, the network is exactly the proximal operator of a function that can be evaluated",
    source: "Section 3: characterisation of proximal operators",
    paper: "exact",
    async run({ rng }) {
      const model = m.lpn({ kind: "dense", shape: [2], hidden: [5, 5], alpha });
      const params = drawn(model, rng.fork("parameters"));
      const y = rng.fork("points").normal([20, 2], { dtype: "float64" });
      const x = model.prox(params, y);
      const { preimage } = await m.regularizer(model, params, x, { inverter: "leastSquares", tolerance: 1e-11 });
      const back = sub(model.prox(params, preimage), x).abs().max().item();
      const { asymmetry, least } = ofJacobian(model, params, y);
      const found = await bruteForce(m, model, params, y);
      const apart = sub(x, f64(found, [20, 2]))
        .abs()
        .max()
        .item();
      return {
        measured: apart,
        holds: apart < 1e-5 && back < 1e-10 && asymmetry < 1e-12 && least >= 2 * alpha,
        detail: `At 20 points f(y) must be where brute force finds the least of |x - y|^2 / 2 + phi(x), to 1e-5 (differs by ${figure(apart)}); f(f^-1(x)) must be x to 1e-10 (${figure(back)}); f's Jacobian must be symmetric to 1e-12 (${figure(asymmetry)}) with eigenvalues >= 2 alpha = ${2 * alpha} (${figure(least)}).`,
      };
    },
  };
}
