import { type Claim, figure } from "@offprint/claims";
import { isSeparable } from "../src/index.js";
import { fixedProblem, randomProblem } from "./data.js";
import { type Method, svmTransformers } from "./method.js";

const RADII = [10, 30, 100, 300, 1000];

/** Claim 3: the regularisation path. */
export function pathConverges(method: Method = svmTransformers): Claim {
  return {
    id: "regularisation-path",
    statement:
      "The least loss under a bound of the norm is reached in the direction of that norm's SVM, as the bound grows",
    source: "Theorem 6",
    paper: 1,
    async run() {
      const { examples, v } = fixedProblem(3, 4, 5);
      const paths = await Promise.all(
        (["frobenius", "nuclear"] as const).map((norm) => method.regularisationPath(examples, v, RADII, { norm })),
      );
      const along = paths.map((path) => path.map((point) => point.correlation));
      const at300 = along.map((each) => each[RADII.indexOf(300)]);
      const increasing = along.every((each) => each.every((value, i) => i === 0 || value > each[i - 1]));
      return {
        measured: { Frobenius: at300[0], nuclear: at300[1] },
        holds: Math.min(...at300) > 0.999 && increasing,
        detail: `Correlation ${at300.map((each) => figure(each)).join(" and ")} at R = 300 (above 0.999), ${increasing ? "increasing" : "not increasing"} with R.`,
        series: [
          {
            kind: "line",
            title: "Direction of the best weights of a norm",
            x: { label: "R", scale: "log" },
            y: { label: "1 - correlation with the SVM", scale: "log" },
            curves: ["Frobenius", "nuclear"].map((name, i) => ({
              name,
              x: RADII,
              y: along[i].map((value) => 1 - value),
              style: "line-points" as const,
            })),
          },
        ],
      };
    },
  };
}

/** Claim 4: when tokens can be separated. */
export function separability(separable: typeof isSeparable = isSeparable): Claim {
  return {
    id: "separability",
    statement: "Any choice of tokens can be separated where d is at least max(T - 1, n)",
    source: "Theorem 1",
    paper: 1,
    async run({ rng, scale, onProgress }) {
      const sets = scale === "full" ? 40 : 12;
      const dimensions = [1, 2, 3, 4, 5, 6];
      const shares: number[][] = [];
      let holds = true;
      for (const [n, length] of [
        [4, 6],
        [6, 4],
      ]) {
        const row: number[] = [];
        for (const d of dimensions) {
          let separated = 0;
          for (let i = 0; i < sets; i++) {
            const { examples } = randomProblem(rng, n, length, d);
            const tokens = [...rng.randint([n], { high: length }).data()];
            if (await separable(examples, tokens)) separated++;
          }
          const share = separated / sets;
          row.push(share);
          if (d >= Math.max(length - 1, n) && share < 1) holds = false;
          if (d === 1 && share > 0.1) holds = false;
          await onProgress((shares.length * 6 + d) / 12);
        }
        shares.push(row);
      }
      return {
        measured: { "T = 6, n = 4, d = 5": shares[0][4], "T = 4, n = 6, d = 6": shares[1][5] },
        holds,
        detail: `Shares that can be separated at d = 1 to 6: ${shares.map((row) => row.map((each) => figure(each)).join(", ")).join("; ")}. They must be 1 from d = 5 and 6 on, and nearly 0 at d = 1.`,
        series: [
          {
            kind: "line",
            title: "Choices of tokens that can be separated",
            x: { label: "d" },
            y: { label: "share" },
            curves: ["n = 4, T = 6", "n = 6, T = 4"].map((name, i) => ({
              name,
              x: dimensions,
              y: shares[i],
              style: "line-points" as const,
            })),
          },
        ],
      };
    },
  };
}
