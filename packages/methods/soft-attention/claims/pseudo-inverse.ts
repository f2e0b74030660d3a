import { type Claim, figure } from "@offprint/claims";
import { abs, full, linalg, matmul, max, mul, sub, sum, swapAxes, type Tensor, tensor } from "@offprint/tensor-core";
import { gaussianKernel, newtonPinv, type PinvOptions } from "../src/index.js";

/** The pseudo-inverse under test. */
export type Pinv = (matrix: Tensor, options: PinvOptions) => Tensor;

const largest = (x: Tensor) => max(abs(x)).item();
const STEPS = [5, 10, 20];

/** Proposition 3: V_k is a function of the spectrum alone, and tends to the inverse. */
export function spectralFilter(pinv: Pinv = newtonPinv): Claim {
  return {
    id: "newton-is-a-spectral-filter",
    statement:
      "k Newton-Raphson steps turn each eigenvalue l of A into (1 - (1 - a l^2)^(2^k)) / l, which tends to 1 / l",
    source: "Algorithm 2, proposition 3",
    paper: "converges to the pseudo-inverse",
    run({ rng }) {
      const points = rng.normal([12, 4], { std: 0.7, dtype: "float64" });
      const a = gaussianKernel(points, points);
      const { values, vectors } = linalg.eigh(a);
      const spectrum = Array.from(values.data());
      const alpha = 1.8 / max(sum(a, { axis: -1 })).item() ** 2;
      const of = (f: (eigenvalue: number) => number) =>
        matmul(mul(vectors, tensor(Float64Array.from(spectrum, f))), swapAxes(vectors, 0, 1));
      const inverse = of((l) => 1 / l);
      const errors: number[] = [];
      let deviation = 0;
      for (let k = 0; k <= 24; k++) {
        const v = pinv(a, { iterations: k, ridge: 0, factor: 1.8 });
        errors.push(largest(sub(v, inverse)));
        if (STEPS.includes(k)) {
          deviation = Math.max(
            deviation,
            largest(
              sub(
                v,
                of((l) => (1 - (1 - alpha * l * l) ** (2 ** k)) / l),
              ),
            ),
          );
        }
      }
      return {
        measured: { "deviation from the filter": deviation, "error after 20 steps": errors[20] },
        holds: deviation < 1e-10,
        detail:
          `The largest entry by which V_k and the filter differ for k = 5, 10, 20 must be below 1e-10 (${figure(deviation)}). ` +
          `Against the exact inverse the error is ${figure(errors[10])} after 10 steps and ${figure(errors[20])} after 20.`,
        series: [
          {
            kind: "line",
            title: "Error of the iterate against the exact inverse",
            x: { label: "steps" },
            y: { label: "largest error", scale: "log" },
            curves: [{ name: `spectrum from ${figure(spectrum[0])} to ${figure(spectrum[11])}`, y: errors }],
          },
        ],
      };
    },
  };
}

/** Equal tokens: the start as the paper writes it loses the matrix, that of the code does not. */
export function equalTokens(pinv: Pinv = newtonPinv): Claim {
  return {
    id: "equal-tokens",
    statement:
      "With c = 1.8 identical tokens have their pseudo-inverse; with the paper's c = 2 the iterate collapses to 0",
    source: "Algorithm 2, and the authors' code",
    paper: "1/36 in every entry",
    run() {
      const ones = full([6, 6], 1, "float64");
      const off = (x: Tensor) => largest(sub(x, 1 / 36));
      const own = off(pinv(ones, { ridge: 0, iterations: 10 }));
      const collapsed = largest(pinv(ones, { ridge: 0, iterations: 10, factor: 2 }));
      const backtracked = off(pinv(ones, { start: "backtracking", iterations: 20 }));
      return {
        measured: { "c = 1.8": own, "c = 2, largest entry": collapsed, "c = 2 with backtracking": backtracked },
        holds: own < 1e-12 && collapsed < 1e-12 && backtracked < 1e-9,
        detail:
          `Deviation from 1/36 after 10 steps below 1e-12 with c = 1.8 (${figure(own)}), largest entry below 1e-12 with c = 2 ` +
          `(${figure(collapsed)}), deviation below 1e-9 with halvings of the start and 20 steps (${figure(backtracked)}).`,
      };
    },
  };
}
