import { compare, python } from "@offprint/bench";
import { levenbergMarquardtSync, minimizeLbfgsSync, rootSync } from "@offprint/solvers";
import {
  add,
  concatenate,
  exp,
  expandDims,
  mul,
  neg,
  random,
  slice,
  sub,
  type Tensor,
  tensor,
} from "@offprint/tensor-core";

/* How long do curve fits, roots and minima take, against SciPy on the same data to the same tolerance? */

const scipy = python(new URL("scipy_peers.py", import.meta.url));

const t = Array.from({ length: 25 }, (_, i) => i / 6);
const initial = [1, 1, 0];

function observed(count: number): number[][] {
  const noise = random.rng("decays").normal([count, t.length], { dtype: "float64" }).toArray() as number[][];
  return noise.map((row) => row.map((e, i) => 2.5 * Math.exp(-1.3 * t[i]) + 0.5 + 0.05 * e));
}

/** Misfits of `scale exp(-rate t) + offset` for parameters `[..., 3]`. */
function misfits(y: Tensor): (x: Tensor) => Tensor {
  const times = tensor(t, { dtype: "float64" });
  return (x) => {
    const [scale, rate, offset] = [0, 1, 2].map((i) =>
      expandDims(slice(x, [...x.shape.slice(1).map(() => null), i]), -1),
    );
    return sub(add(mul(scale, exp(neg(mul(rate, times)))), offset), y);
  };
}

function tridiagonal(x: Tensor): Tensor {
  const left = concatenate([[0], slice(x, [{ stop: -1 }])]);
  const right = concatenate([slice(x, [{ start: 1 }]), [0]]);
  return add(sub(sub(mul(sub(3, mul(2, x)), x), left), mul(2, right)), 1);
}

function rosenbrock(x: Float64Array, gradient: Float64Array): number {
  let value = 0;
  gradient.fill(0);
  for (let i = 0; i + 1 < x.length; i++) {
    const rest = x[i + 1] - x[i] ** 2;
    value += 100 * rest ** 2 + (1 - x[i]) ** 2;
    gradient[i] += -400 * x[i] * rest - 2 * (1 - x[i]);
    gradient[i + 1] += 200 * rest;
  }
  return value;
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const [y] = observed(1);
  const plain = ([scale, rate, offset]: Float64Array) => t.map((v, i) => scale * Math.exp(-rate * v) + offset - y[i]);
  await compare({
    name: "a curve fit of 3 parameters to 25 points, plain residuals",
    ours: () => levenbergMarquardtSync(plain, initial),
    peers: { scipy: scipy.peer("decay", { t, y, initial }) },
  });
  const rows = observed(500);
  const batch = misfits(tensor(rows, { dtype: "float64" }));
  const starts = tensor(
    rows.map(() => initial),
    { dtype: "float64" },
  );
  await compare({
    name: "500 curve fits at once",
    ours: () => levenbergMarquardtSync(batch, starts),
    peers: { scipy: scipy.peer("decays", { t, y: rows, initial }) },
    repetitions: 7,
  });
  for (const size of [10, 100]) {
    const start = tensor(new Float64Array(size).fill(-1), { dtype: "float64" });
    await compare({
      name: `Broyden's tridiagonal function, ${size} variables, Newton's method`,
      ours: () => rootSync(tridiagonal, start),
      peers: { scipy: scipy.peer("broyden", size) },
      repetitions: 7,
    });
  }
  const start = Float64Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? -1.2 : 1));
  await compare({
    name: "Rosenbrock's function of 100 variables, L-BFGS",
    ours: () => minimizeLbfgsSync(rosenbrock, start),
    peers: { scipy: scipy.peer("rosenbrock", start.length) },
    repetitions: 7,
  });
}
