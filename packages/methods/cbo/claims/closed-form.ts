import { type Claim, figure } from "@offprint/claims";
import { linalg, matmul, mul, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { distance, type Method, published } from "./method.js";

const A = [
  [2, 0.5, 0],
  [0.5, 1, 0.3],
  [0, 0.3, 3],
];
const X = [1, -2, 0.5];
const [ALPHA, WIDTH] = [5, 0.3];
/** Numbers of samples, and the largest error allowed with them. */
const CRITERIA: readonly (readonly [samples: number, most: number])[] = [
  [1e3, 0.1],
  [1e4, 0.05],
  [1e5, 0.015],
];

/** `1/2 v^T A v`. */
function energy(v: Tensor): Tensor {
  return mul(0.5, sum(mul(v, matmul(v, tensor(A, { dtype: "float64" }))), { axis: 1 }));
}

/** The hop on a quadratic is known exactly: `(I + alpha s^2 A)^-1 x`. */
export function closedForm(method: Method = published, seeds = 20): Claim {
  return {
    id: "closed-form-of-a-hop",
    statement: "On a quadratic energy a hop is an implicit gradient step, up to an error that falls as 1 / sqrt N",
    source: "Section 3, derived for quadratics",
    paper: "(I + tau A)^-1 x",
    async run({ rng, onProgress }) {
      const tau = ALPHA * WIDTH * WIDTH;
      const matrix = A.map((row, i) => row.map((a, j) => (i === j ? 1 : 0) + tau * a));
      const exact = linalg
        .solve(tensor(matrix, { dtype: "float64" }), tensor(X, { dtype: "float64" }))
        .data() as Float64Array;
      const errors: number[] = [];
      for (const [samples] of CRITERIA) {
        let square = 0;
        for (let run = 0; run < seeds; run++) {
          const seed = rng
            .fork(`${samples}/${run}`)
            .randint([], { high: 2 ** 31 - 1 })
            .item();
          const options = { width: WIDTH, alpha: ALPHA, samples, seed };
          const { point } = await method.hopGradient({ objective: energy }, X, options);
          square += distance(point.data(), exact) ** 2 / seeds;
          await onProgress((errors.length + (run + 1) / seeds) / CRITERIA.length);
        }
        errors.push(Math.sqrt(square));
      }
      const named = Object.fromEntries(CRITERIA.map(([samples], i) => [`error at N=${samples}`, errors[i]]));
      return {
        measured: named,
        holds: CRITERIA.every(([, most], i) => errors[i] < most),
        detail:
          `Root mean square error of the hop over ${seeds} seeds, on a step of length ${figure(distance(exact, X))}: below ` +
          `${CRITERIA.map(([samples, most], i) => `${most} for N = ${samples} (${figure(errors[i])})`).join(", ")}.`,
        series: [
          {
            kind: "line",
            title: "Error of a hop",
            x: { label: "samples N", scale: "log" },
            y: { label: "distance to (I + tau A)^-1 x", scale: "log" },
            curves: [
              { name: "measured", x: CRITERIA.map(([n]) => n), y: errors, style: "line-points" },
              {
                name: "1 / sqrt N",
                x: CRITERIA.map(([n]) => n),
                y: CRITERIA.map(([n]) => errors[0] * Math.sqrt(1e3 / n)),
              },
            ],
          },
        ],
      };
    },
  };
}
