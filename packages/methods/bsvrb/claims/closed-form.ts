import { type Claim, figure, largestDifference } from "@offprint/claims";
import { multiBlockHypergradient } from "../src/index.js";
import { constantsOf, type Method, published, versions } from "./method.js";
import { quadraticBed } from "./quadratic-bed.js";

const marks = [400, 800, 1200];

/** Exact where it can be. */
export function closedForm(method: Method = published): Claim {
  return {
    id: "closed-form",
    statement: "With all blocks and all rows both versions come to the minimiser at a geometric rate",
    source: "Algorithms 1 and 2, without noise",
    paper: "exact",
    async run({ rng }) {
      const bed = quadraticBed(rng.fork("bed"));
      let apart = 0;
      for (let k = 0; k < 3; k++) {
        const x = rng.normal([8], { dtype: "float64" });
        const { gradient } = await multiBlockHypergradient(bed.problem, x, { tolerance: 1e-12 });
        apart = Math.max(apart, largestDifference(gradient, bed.gradient(x.data())));
      }
      const small = quadraticBed(rng.fork("small"), { blocks: 6, upper: 4, rows: 20, batch: "all" });
      const errors: number[][] = [];
      for (const version of versions) {
        const course: number[] = [];
        const { x } = await method.bsvrb(small.problem, {
          ...{ ...constantsOf(version), sampledBlocks: 6, stepSize: 0.1, lowerStepSize: 0.4, maxIterations: 2200 },
          evaluate({ x: at }, iteration) {
            if (marks.includes(iteration)) course.push(small.error(at.data()));
            return {};
          },
        });
        errors.push([...course, small.error(x.data())]);
      }
      const geometric = errors.every(([a, b, c]) => b < Math.max(a / 3, 1e-12) && c < Math.max(b / 3, 1e-12));
      const last = errors.map((course) => course[3]);
      return {
        measured: { gradient: apart, v1: last[0], v2: last[1] },
        holds: apart <= 1e-9 && geometric && last.every((error) => error <= 1e-8),
        detail:
          `hypergradient at three points within 1e-9 of the closed form (${figure(apart)}); after 2200 iterations |x - x*| / |x*| at most ` +
          `1e-8 (v1 ${figure(last[0])}, v2 ${figure(last[1])}), and at 800 and 1200 below a third of what it was 400 before, or 1e-12 ` +
          `(${errors
            .map((course) =>
              course
                .slice(0, 3)
                .map((e) => figure(e, 2))
                .join(", "),
            )
            .join("; ")})`,
      };
    },
  };
}
