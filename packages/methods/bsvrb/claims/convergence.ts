import { type Claim, figure } from "@offprint/claims";
import { constantsOf, type Method, published, rowSteps, versions } from "./method.js";
import { quadraticBed } from "./quadratic-bed.js";

/** Both versions converge from a tenth of the blocks and 8 rows of each. */
export function bothConverge(method: Method = published): Claim {
  return {
    id: "both-versions-converge",
    statement: "Tracking Hessians or products with them, 5 of 50 blocks and 8 of 100 rows in each iteration suffice",
    source: "Theorems 1 and 2",
    paper: "epsilon-stationary after O(m / (I sqrt(B)) epsilon^-3) iterations",
    async run({ rng, seed, scale }) {
      const last = scale === "full" ? 8000 : 4000;
      const bed = quadraticBed(rng.fork("bed"));
      const looks = Array.from({ length: last / 100 }, (_, k) => 100 * (k + 1));
      const courses: number[][] = [];
      for (const version of versions) {
        const course: number[] = [];
        await method.bsvrb(bed.problem, {
          ...{
            ...constantsOf(version),
            seed,
            sampledBlocks: 5,
            stepSize: 0.02,
            ...rowSteps(version, 0.02),
            maxIterations: last,
          },
          evaluate({ x }, iteration) {
            if (iteration % 100 === 0) course.push(bed.error(x.data()));
            return {};
          },
        });
        courses.push(course);
      }
      const [early, late] = [courses.map((course) => course[19]), courses.map((course) => course[course.length - 1])];
      return {
        measured: { v1: late[0], v2: late[1] },
        holds: early.every((error) => error <= 0.12) && late.every((error) => error <= 0.05),
        detail:
          `|x - x*| / |x*| at most 0.12 after 2000 iterations (v1 ${figure(early[0])}, v2 ${figure(early[1])}) and 0.05 after ${last} ` +
          `(${figure(late[0])}, ${figure(late[1])})`,
        series: [
          {
            kind: "line",
            title: "Distance from the minimiser, 5 of 50 blocks in each iteration",
            x: { label: "iterations" },
            y: { label: "|x - x*| / |x*|", scale: "log" },
            curves: versions.map((name, k) => ({ name, x: looks, y: courses[k] })),
          },
        ],
      };
    },
  };
}
