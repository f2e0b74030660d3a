import { type Claim, figure } from "@offprint/claims";
import { linalg, matmul, type random, type Tensor, transpose } from "@offprint/tensor-core";
import { softmaxRows } from "../src/exact-gradient.js";
import { project, readHead } from "../src/head.js";
import { NormExceededError } from "../src/index.js";
import { relativeError } from "./costs.js";
import { loraLimits, type Method } from "./method.js";
import { draw, scaledHead } from "./problem.js";

const LENGTH = 512;
const DEGREE = 6;
const NORMS = [0.25, 0.5, 1, 1.5, 2, 3, 4];

/** Columns of the sketch: more than any rank that is counted. */
const SKETCH = 128;

/** Singular values above 1e-3 of the largest, counted in the range of f f^T f applied to a random matrix. */
function numericalRank(f: Tensor, rng: random.Rng): number {
  const columns = Math.min(SKETCH, f.shape[0]);
  const start = matmul(f, draw(rng, [f.shape[1], columns]));
  const { q } = linalg.qr(matmul(f, matmul(transpose(f), start)));
  const values = linalg.svdvals(matmul(transpose(q), f)).data();
  return Array.from(values).filter((value) => value > 1e-3 * values[0]).length;
}

/** Claim 4: norms decide. */
export function normTransition(method: Method = loraLimits, length = LENGTH, norms: readonly number[] = NORMS): Claim {
  return {
    id: "norm-transition",
    statement:
      "The error of the low-rank gradient is small below a norm of about the square root of log L, and large above it",
    source: "Theorems 4.1 and 5.1",
    paper: `threshold ${figure(Math.sqrt(Math.log(length)))}`,
    async run({ rng, onProgress }) {
      const errors: number[] = [];
      const ranks: number[] = [];
      const data = rng.fork("data");
      for (const [i, norm] of norms.entries()) {
        const { x, head, target } = scaledHead(data.clone(), length, norm);
        const options = { degree: DEGREE, strategy: "almostLinear" } as const;
        const exact = await method.loraGradients(x, head, { target }, { strategy: "exact" });
        errors.push(
          await method.loraGradients(x, head, { target }, options).then(
            (found) => relativeError(found, exact),
            (error: unknown) => {
              // A polynomial whose weights are none is as wrong as can be.
              if (error instanceof NormExceededError) return Infinity;
              throw error;
            },
          ),
        );
        const { q, k } = project(readHead("claim", x, head));
        ranks.push(numericalRank(softmaxRows(q, k, head.beta ?? 1), rng.fork("sketch")));
        await onProgress((i + 1) / norms.length);
      }
      const at = (norm: number) => errors[norms.indexOf(norm)];
      const monotone = ranks.every((rank, i) => i === 0 || rank >= ranks[i - 1]);
      return {
        measured: { "error at 1": at(1), "error at 4": at(4) },
        holds: at(1) < 1e-6 && at(4) > 1e-2 && monotone,
        detail:
          `Relative error ${figure(at(1))} at norm 1 (below 1e-6) and ${figure(at(4))} at norm 4 (above 1e-2); the rank of the ` +
          `attention matrix grows from ${ranks[0]} to ${ranks[ranks.length - 1]}${monotone ? "" : ", not steadily"}.`,
        series: [
          {
            kind: "line",
            title: `Error of degree ${DEGREE} at ${length} tokens`,
            x: { label: "largest entry of queries and keys" },
            y: { label: "relative error", scale: "log" },
            curves: [{ name: "error", x: norms, y: errors, style: "line-points" }],
            references: [{ axis: "x", value: Math.sqrt(Math.log(length)), label: "sqrt(ln L)" }],
          },
        ],
        tables: [
          {
            title: "Errors and ranks",
            columns: ["norm", "relative error", "rank of f at 1e-3"],
            rows: norms.map((norm, i) => [norm, errors[i], ranks[i]]),
          },
        ],
      };
    },
  };
}

/** Claim 5: the threshold, counted. */
export function countedThreshold(method: Method = loraLimits): Claim {
  return {
    id: "counted-threshold",
    statement:
      "The number of features is L to a power that falls to 0 below norms of sqrt(log L), and grows without bound above",
    source: "Theorems 4.1 and 5.1",
    paper: "o(1) below the threshold",
    run() {
      const points = method.phaseDiagram();
      const powers = [...new Set(points.map(({ power }) => power))];
      const exponents = (power: number) =>
        points.filter((point) => point.power === power).map(({ exponent }) => exponent);
      const steps = (power: number) =>
        exponents(power)
          .map((each, i, all) => (i === 0 ? 0 : each - all[i - 1]))
          .slice(1);
      const falls = [0.2, 0.3].every((power) => steps(power).every((step) => step < 0));
      const last = steps(0.5).at(-1) ?? Number.NaN;
      const grows = steps(0.6).every((step) => step > 0);
      const ends = powers.map((power) => exponents(power).at(-1) ?? Number.NaN);
      return {
        measured: Object.fromEntries(powers.map((power, i) => [`B = (ln L)^${power}`, ends[i]])),
        holds: falls && Math.abs(last) < 0.03 && grows,
        detail:
          `Exponents at L = 2^2560: ${powers.map((power, i) => `${figure(ends[i])} for power ${power}`).join(", ")}. Below 0.5 they ` +
          `must fall with L, at 0.5 the last step be below 0.03 (${figure(last)}), above grow.`,
        series: [
          {
            kind: "line",
            title: "Features as a power of the length",
            x: { label: "log2 L", scale: "log" },
            y: { label: "exponent" },
            curves: powers.map((power) => ({
              name: `B = (ln L)^${power}`,
              x: points.filter((point) => point.power === power).map(({ log2Length }) => log2Length),
              y: exponents(power),
              style: "line-points" as const,
            })),
          },
        ],
      };
    },
  };
}
