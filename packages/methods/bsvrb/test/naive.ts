import { type MultiBlockBilevelProblem, msvr, msvrGamma, storm } from "@offprint/bilevel";
import {
  arange,
  asTensor,
  grad,
  hessian,
  linalg,
  matmul,
  mean,
  mul,
  random,
  stack,
  sub,
  sum,
  type Tensor,
  take,
} from "@offprint/tensor-core";
import { nearestPositiveDefinite } from "../src/index.js";

type Problem = MultiBlockBilevelProblem<Tensor, Tensor>;

/** Sizes and steps of a naive run. */
export interface NaiveOptions {
  readonly version: "v1" | "v2";
  readonly iterations: number;
  readonly sampled: number;
  readonly eta: number;
  readonly tau: number;
  readonly alpha: number;
  readonly beta: number;
  readonly least: number;
  readonly bound: number;
  readonly moves: "all" | "sampled";
  readonly seed: number;
}

/** The sheet's loop word for word: every block moves in every iteration, derivatives are those of one block at a time. */
export function naiveBsvrb(problem: Problem, o: NaiveOptions) {
  const m = problem.blocks;
  const gamma = msvrGamma(m, o.sampled, o.alpha);
  const rowsOf = (y: Tensor) => Array.from({ length: m }, (_, i) => take(y, i));
  const one = (i: number) => asTensor([i], "int32");
  const f = (i: number, noise: Tensor) => (x: Tensor, y: Tensor) =>
    sum(problem.upper(x, y.reshape([1, 3]), one(i), noise.reshape([1, 3])));
  const g = (i: number, noise: Tensor) => (x: Tensor, y: Tensor) =>
    sum(problem.lower(x, y.reshape([1, 3]), one(i), noise.reshape([1, 3])));
  const inY = (of: (x: Tensor, y: Tensor) => Tensor) => (x: Tensor, y: Tensor) => grad((at: Tensor) => of(x, at))(y);
  const inX = (of: (x: Tensor, y: Tensor) => Tensor) => (x: Tensor, y: Tensor) => grad((at: Tensor) => of(at, y))(x);
  const second = (of: (x: Tensor, y: Tensor) => Tensor) => (x: Tensor, y: Tensor) =>
    hessian((at: Tensor) => of(x, at))(y);
  const mixed = (of: (x: Tensor, y: Tensor) => Tensor, v: Tensor) => (x: Tensor, y: Tensor) =>
    grad((at: Tensor) => sum(mul(grad((b: Tensor) => of(at, b))(y), v)))(x);
  const project = (v: Tensor) => {
    const size = linalg.norm(v).item();
    return size > o.bound ? mul(v, o.bound / size) : v;
  };
  let x = problem.initial.x as Tensor;
  let y = rowsOf(problem.initial.y);
  let v = y.map((row) => mul(row, 0));
  const s: Tensor[] = [];
  const tracked: Tensor[] = [];
  for (let part = 0; part * o.sampled < m; part++) {
    const blocks = Array.from({ length: o.sampled }, (_, k) => (part * o.sampled + k < m ? part * o.sampled + k : 0));
    const data = (problem.sample as NonNullable<Problem["sample"]>)(
      random.rng(`${o.seed}/first/${part}`),
      asTensor(blocks, "int32"),
    );
    for (const [k, i] of blocks.entries()) {
      if (s[i] !== undefined) continue;
      const [above, below] = [f(i, take(data.upper, k)), g(i, take(data.lower, k))];
      s[i] = inY(below)(x, y[i]);
      tracked[i] =
        o.version === "v1" ? nearestPositiveDefinite(second(below)(x, y[i]), o.least) : mul(inY(above)(x, y[i]), -1);
    }
  }
  let before = { x, y, v, h: [...tracked] };
  let z: Tensor | undefined;
  for (let t = 1; t <= o.iterations; t++) {
    const rng = random.rng(`${o.seed}/iteration/${t}`);
    const blocks = rng.choice(m, { shape: [o.sampled], replace: false });
    const data = (problem.sample as NonNullable<Problem["sample"]>)(rng, blocks);
    const now = { x, y: [...y], v: [...v], h: [...tracked] };
    const direction = (p: typeof now) =>
      mean(
        stack(
          [...blocks.data()].map((i, k) => {
            const [above, below] = [f(i, take(data.upper, k)), g(i, take(data.lower, k))];
            const solved = o.version === "v1" ? linalg.solve(p.h[i], inY(above)(p.x, p.y[i])) : p.v[i];
            return sub(inX(above)(p.x, p.y[i]), mixed(below, solved)(p.x, p.y[i]));
          }),
        ),
        0,
      );
    const [G, old] = [direction(now), direction(before)];
    for (const [k, i] of [...blocks.data()].entries()) {
      const [above, below] = [f(i, take(data.upper, k)), g(i, take(data.lower, k))];
      const track = (estimate: Tensor, h: (p: typeof now) => Tensor) =>
        msvr(estimate, h(now), h(before), o.alpha, gamma);
      s[i] = track(s[i], (p) => inY(below)(p.x, p.y[i]));
      tracked[i] =
        o.version === "v1"
          ? nearestPositiveDefinite(
              track(tracked[i], (p) => second(below)(p.x, p.y[i])),
              o.least,
            )
          : track(tracked[i], (p) => sub(matmul(second(below)(p.x, p.y[i]), p.v[i]), inY(above)(p.x, p.y[i])));
    }
    z = z === undefined ? G : storm(z, G, old, o.beta);
    x = sub(x, mul(z, o.eta));
    const moving = o.moves === "all" ? [...arange(m).data()] : [...blocks.data()];
    y = [...y];
    v = [...v];
    for (const i of moving) {
      y[i] = sub(y[i], mul(s[i], o.tau));
      if (o.version === "v2") v[i] = project(sub(v[i], mul(tracked[i], o.tau)));
    }
    before = now;
  }
  return { x, y: stack(y), v: stack(v), h: stack(tracked), z };
}
