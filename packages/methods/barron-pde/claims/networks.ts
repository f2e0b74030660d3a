import { type Claim, figure, growthOf, meanOf } from "@offprint/claims";
import { networkError, randomNetwork, sines } from "../src/index.js";
import { type Method, published } from "./method.js";
import { cubic, fourCosines, solved } from "./problems.js";

/** Claim 5: networks have the error that the norm says. */
export function monteCarloRate(method: Method = published): Claim {
  return {
    id: "monte-carlo-rate",
    statement:
      "n neurons drawn from a function of bounded norm have a mean squared error of C^2 / n, with the constant known",
    source: "Theorem 1 with Barron 1993",
    paper: "O(norm^2 / n)",
    async run(context) {
      const { seed, scale, onProgress } = context;
      const draws = scale === "full" ? 2000 : 400;
      const widths = [16, 64, 256];
      const { u } = await solved(context, method, 8);
      const constant = method.sampleNetwork(u, { width: 1 }).constants.error;
      const squares: number[] = [];
      for (const width of widths) {
        const each = Array.from(
          { length: draws },
          (_, i) => method.sampleNetwork(u, { width, seed: `${seed} ${width} ${i}` }).error ** 2,
        );
        squares.push(meanOf(each));
        await onProgress(squares.length / (widths.length + 1));
      }
      const slope = growthOf(widths, squares);
      const ratios = squares.map((square, i) => (square * widths[i]) / constant);
      const steps = [16, 64].map((width) => {
        const found = Array.from({ length: 8 }, (_, i) =>
          method.sampleNetwork(u, { width, activation: "step", points: 1000, seed: `${seed} step ${width} ${i}` }),
        );
        return (meanOf(found.map(({ error }) => error ** 2)) * width) / found[0].constants.error;
      });
      return {
        measured: { slope: slope, "n error^2, to the constant": meanOf(ratios), "of steps, to V^2": meanOf(steps) },
        holds:
          slope > -1.1 &&
          slope < -0.9 &&
          ratios.every((each) => Math.abs(each - 1) < 0.15) &&
          steps.every((each) => each > 0 && each <= 1),
        detail:
          `For the solution in eight dimensions n times the mean squared error of cosine networks must be ${figure(constant)} within 15 % ` +
          `(${ratios.map((each) => figure(each * constant)).join(", ")} at n = ${widths.join(", ")}, ${draws} draws), the slope in -1.1 to -0.9 (${figure(slope)}); ` +
          `that of step networks at most V^2 (${steps.map((each) => figure(each)).join(", ")} of it).`,
        series: [
          {
            kind: "line",
            title: "Error of sampled networks, d = 8",
            x: { label: "neurons", scale: "log" },
            y: { label: "root of the mean squared error", scale: "log" },
            curves: [
              { name: "measured", x: widths, y: squares.map(Math.sqrt), style: "line-points" },
              { name: "sqrt(constant / n)", x: widths, y: widths.map((n) => Math.sqrt(constant / n)) },
            ],
          },
        ],
      };
    },
  };
}

/** `-u'' + u + u^3 = f`, u(0) = u(1) = 0, by second-order differences and Newton's method, at the inner points. */
function finiteDifferences(f: (x: number) => number, n: number): Float64Array {
  const h = 1 / n;
  const u = new Float64Array(n + 1);
  for (let iteration = 0; iteration < 50; iteration++) {
    // The tridiagonal system by elimination.
    const [c, r] = [new Float64Array(n + 1), new Float64Array(n + 1)];
    for (let i = 1; i < n; i++) {
      const residual = (2 * u[i] - u[i - 1] - u[i + 1]) / h ** 2 + u[i] + u[i] ** 3 - f(i * h);
      const pivot = 2 / h ** 2 + 1 + 3 * u[i] ** 2 + c[i - 1] / h ** 2;
      c[i] = -1 / h ** 2 / pivot;
      r[i] = (residual + r[i - 1] / h ** 2) / pivot;
    }
    let most = 0;
    for (let i = n - 1, change = 0; i >= 1; i--) {
      change = r[i] - c[i] * change;
      u[i] -= change;
      most = Math.max(most, Math.abs(change));
    }
    if (most < 1e-13) break;
  }
  return u;
}

/** Claim 6: problems on the cube. */
export function dirichlet(method: Method = published): Claim {
  return {
    id: "dirichlet",
    statement: "Odd continuation solves the Dirichlet problem on the cube, exactly zero on its boundary",
    source: "Section 3, bounded domains",
    paper: 0,
    async run({ signal }) {
      const f = sines([
        { k: [1], b: 20 },
        { k: [3], b: 10 },
      ]);
      const { u } = await method.descend(cubic, f, {
        tolerance: 1e-9,
        pruneTolerance: 1e-12,
        maxIterations: 400,
        signal,
      });
      const right = (x: number) => 20 * Math.sin(Math.PI * x) + 10 * Math.sin(3 * Math.PI * x);
      const distance = (n: number) => {
        const values = u.evaluate(Array.from({ length: n + 1 }, (_, i) => [i / n])).data();
        return finiteDifferences(right, n).reduce(
          (most, each, i) => Math.max(most, Math.abs(each - Number(values[i]))),
          0,
        );
      };
      const distances = [200, 400].map(distance);
      const boundary = Math.max(...[[0], [1]].map((x) => Math.abs(u.evaluate(x).item())));
      const ratio = distances[0] / distances[1];
      return {
        measured: { "difference at 400 points": distances[1], "ratio to 200": ratio, "at the boundary": boundary },
        holds: Math.abs(ratio - 4) < 0.1 && distances[1] < 1e-5 && boundary < 1e-14,
        detail:
          `The largest difference to second-order finite differences must fall by 4 from 200 to 400 points, within .1 (${figure(distances[0])} to ${figure(distances[1])}, ` +
          `ratio ${figure(ratio)}), and the boundary value be below 1e-14 (${figure(boundary)}).`,
      };
    },
  };
}

/** Claim 7: from the equation to the network. */
export function endToEnd(method: Method = published): Claim {
  return {
    id: "end-to-end",
    statement: "The width that the norm asks for gives the accuracy, and grows hardly with the dimension",
    source: "Theorem 1",
    paper: "polynomial in d",
    async run(context) {
      const { seed, scale, onProgress, signal } = context;
      const dimensions = scale === "full" ? [2, 4, 8, 16] : [2, 8];
      const rows: { d: number; accuracy: number; iterations: number; width: number; error: number; random: number }[] =
        [];
      for (const d of dimensions) {
        const accurate = await solved(context, method, d);
        const accuracy = 0.1 * accurate.u.l2();
        const { u, width, iterations } = await method.certify(cubic, fourCosines(d), {
          ...{ accuracy, pruneTolerance: 1e-7, seed, signal },
        });
        const v = u.withoutSmallest(accuracy / 4);
        // Judged by another way than that which drew it: at points, against the accurate solution.
        const errors = Array.from({ length: 20 }, (_, i) => {
          const { network } = method.sampleNetwork(v, { width, seed: `${seed} ${d} ${i}` });
          return networkError(network, accurate.u, { points: 1000, seed: `${seed} points ${d} ${i}` }).error ** 2;
        });
        const random = randomNetwork(accurate.u, { width: 100, seed });
        rows.push({
          ...{ d, accuracy, iterations, width, error: Math.sqrt(meanOf(errors)) },
          random: networkError(random, accurate.u, { seed: `${seed} random` }).error,
        });
        await onProgress(rows.length / dimensions.length);
      }
      const [first, last] = [rows[0], rows[rows.length - 1]];
      return {
        measured: Object.fromEntries(
          rows.map(({ d, error, accuracy }) => [`error to accuracy, d = ${d}`, error / accuracy]),
        ),
        holds:
          rows.every(({ error, accuracy }) => error <= accuracy && error >= accuracy / 4) &&
          last.width < 3 * first.width,
        detail:
          `For an accuracy of a tenth of the norm, the root of the mean squared error of 20 networks must be below it, and not below a quarter of it: ` +
          `${rows.map(({ d, width, error, accuracy }) => `d = ${d}: ${width} neurons, ${figure(error)} of ${figure(accuracy)}`).join("; ")}. Widths may grow by less than 3 (${figure(last.width / first.width)}).`,
        tables: [
          {
            title: "Networks of the width that the norm asks for",
            columns: ["d", "accuracy", "iterations", "neurons", "error", "100 random neurons, fitted"],
            rows: rows.map(({ d, accuracy, iterations, width, error, random }) => [
              d,
              accuracy,
              iterations,
              width,
              error,
              random,
            ]),
          },
        ],
      };
    },
  };
}
