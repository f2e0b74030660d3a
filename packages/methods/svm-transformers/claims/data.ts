import { hostTensor, type random, type Tensor } from "@offprint/tensor-core";

/** Examples with a linear head. */
export interface Problem {
  readonly examples: { readonly tokens: Tensor; readonly queries: Tensor; readonly labels: Tensor };
  readonly v: Tensor;
}

/** Rows of unit length. */
function unit(values: Float64Array, dimension: number): Float64Array {
  for (let at = 0; at < values.length; at += dimension) {
    let squares = 0;
    for (let k = 0; k < dimension; k++) squares += values[at + k] ** 2;
    for (let k = 0; k < dimension; k++) values[at + k] /= Math.sqrt(squares);
  }
  return values;
}

function problemOf(
  n: number,
  length: number,
  d: number,
  x: Float64Array,
  z: Float64Array,
  v: Float64Array,
  y: Float64Array,
): Problem {
  const at = (values: Float64Array, shape: number[]) => hostTensor(values, shape, "float64");
  return {
    examples: {
      tokens: at(unit(x, d), [n, length, d]),
      queries: at(unit(z, d), [n, d]),
      labels: at(y, [n]),
    },
    v: at(unit(v, d), [d]),
  };
}

/** Examples that are the same everywhere: sines and cosines of their numbers. */
export function fixedProblem(n: number, length: number, d: number): Problem {
  const x = new Float64Array(n * length * d);
  const z = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    for (let t = 0; t < length; t++) {
      for (let k = 0; k < d; k++) {
        const phase = 1.3 * (i + 1) + 2.1 * (t + 1) + 0.7 * (k + 1) + 0.9 * (i + 1) * (t + 1) * (k + 1);
        x[(i * length + t) * d + k] = Math.sin(phase);
      }
    }
    for (let k = 0; k < d; k++) z[i * d + k] = Math.cos(0.8 * (i + 1) + 1.9 * (k + 1) + 0.6 * (i + 1) * (k + 1));
  }
  const v = Float64Array.from({ length: d }, (_, k) => Math.sin(k + 1));
  return problemOf(
    n,
    length,
    d,
    x,
    z,
    v,
    Float64Array.from({ length: n }, (_, i) => (i % 2 === 0 ? 1 : -1)),
  );
}

/** Tokens, queries and head uniform on the sphere, labels by a coin. */
export function randomProblem(rng: random.Rng, n: number, length: number, d: number): Problem {
  const draw = (size: number) => Float64Array.from(rng.normal([size], { dtype: "float64" }).data());
  const labels = draw(n).map((value) => (value < 0 ? -1 : 1));
  return problemOf(n, length, d, draw(n * length * d), draw(n * d), draw(d), labels);
}
