import { type Claim, figure } from "@offprint/claims";
import { hockSchittkowski } from "./hock-schittkowski.js";
import { type Method, published } from "./method.js";

const SKETCHES = ["kaczmarz", "gaussian"] as const;

/** Every problem of the set is solved to its known optimum. */
export function knownOptima(method: Method = published): Claim {
  return {
    id: "known-optima",
    statement: "With directions from sketches alone, all problems are solved to their known solutions",
    source: "Section 5.1, Figure 1 (CUTEst)",
    paper: "45 of 47 solved",
    async run({ seed, onProgress }) {
      const rows: (string | number)[][] = [];
      let solved = 0;

      for (const [k, { number, problem, start, least }] of hockSchittkowski.entries()) {
        for (const kind of SKETCHES) {
          const options = { sketch: { kind }, tolerance: 1e-6, maxInnerSteps: 2e4, maxIterations: 100, seed };
          const { objective, kkt, iterations } = await method(problem, start, options);
          if (Math.abs(objective - least) <= 1e-5 && kkt <= 1e-6) solved++;
          rows.push([`HS${number}`, kind, iterations, Math.abs(objective - least), kkt]);
        }
        await onProgress((k + 1) / hockSchittkowski.length);
      }
      const runs = hockSchittkowski.length * SKETCHES.length;
      const most = Math.max(...rows.map((row) => row[2] as number));
      return {
        measured: { solved: `${solved} of ${runs}`, "most iterations": most },
        holds: solved === runs,
        detail:
          `All ${runs} runs on ${hockSchittkowski.length} Hock-Schittkowski problems, with at most 20,000 steps of the sketching ` +
          `solver for a direction, must end within 1e-5 of the known optimum with a KKT residual of at most 1e-6 (${solved} did; ` +
          `largest residual ${figure(Math.max(...rows.map((row) => row[4] as number)))}).`,
        tables: [
          {
            title: "Hock-Schittkowski problems",
            columns: ["problem", "sketch", "iterations", "distance to f*", "KKT residual"],
            rows,
          },
        ],
      };
    },
  };
}
