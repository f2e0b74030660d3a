import { type Claim, figure } from "@offprint/claims";
import { linalg } from "@offprint/tensor-core";
import { correlation, optimalTokens } from "../src/index.js";
import { fixedProblem, randomProblem } from "./data.js";
import { type Method, svmTransformers } from "./method.js";

/** Singular values above a tolerance. */
export function rankOf(w: Parameters<typeof linalg.svdvals>[0], tolerance: number): number {
  const values = linalg.svdvals(w).data();
  return Array.from(values).filter((value) => value > tolerance * values[0]).length;
}

const KNOWN = [
  {
    size: [3, 4, 5],
    tokens: "0,2,0",
    frobenius: 5.366716,
    own: 6.898434,
    nuclear: 6.257895,
    correlation: 0.96102,
    ranks: [3, 2],
    active: 5,
  },
  {
    size: [6, 8, 10],
    tokens: "5,6,1,2,0,6",
    frobenius: 3.90138,
    own: undefined,
    nuclear: 7.181549,
    correlation: 0.84486,
    ranks: [6, 4],
    active: 24,
  },
] as const;

/** Claim 1: the two programmes have two solutions. */
export function svmValues(method: Method = svmTransformers): Claim {
  return {
    id: "svm-values",
    statement:
      "The margin in the Frobenius and in the nuclear norm have different solutions, the nuclear one of lower rank",
    source: "Section 2, equations (Att-SVM)",
    paper: "different directions",
    async run() {
      const rows: (string | number)[][] = [];
      let worst = 0;
      let exact = true;
      for (const known of KNOWN) {
        const [n, length, d] = known.size;
        const { examples, v } = fixedProblem(n, length, d);
        const { tokens } = optimalTokens(examples, v);
        const frobenius = await method.attentionSvm(examples, tokens);
        const nuclear = await method.attentionSvm(examples, tokens, { norm: "nuclear" });
        const parallel = correlation(frobenius.w, nuclear.w);
        const ranks = [rankOf(frobenius.w, 1e-6), rankOf(nuclear.w, 1e-4)];
        const active = frobenius.support.flat().length;
        worst = Math.max(worst, Math.abs(frobenius.objective / known.frobenius - 1));
        worst = Math.max(
          worst,
          Math.abs(nuclear.objective / known.nuclear - 1),
          Math.abs(parallel - known.correlation),
        );
        if (known.own !== undefined) {
          worst = Math.max(worst, Math.abs(linalg.svdvals(frobenius.w).sum().item() / known.own - 1));
        }
        exact &&= tokens.join() === known.tokens && active === known.active && ranks.join() === known.ranks.join();
        rows.push([
          known.size.join(", "),
          frobenius.objective,
          nuclear.objective,
          parallel,
          ranks.join(" and "),
          active,
        ]);
      }
      return {
        measured: worst,
        holds: worst < 1e-5 && exact,
        detail: `Values differ from those of a second program by ${figure(worst)} at most (below 1e-5); tokens, ranks and active constraints are ${exact ? "the same" : "not the same"}.`,
        tables: [
          {
            title: "Solutions",
            columns: ["n, T, d", "||W||_F", "||W*||_nuc", "correlation", "ranks", "active constraints"],
            rows,
          },
        ],
      };
    },
  };
}

/** Claim 7: rank. */
export function lowRank(method: Method = svmTransformers): Claim {
  return {
    id: "low-rank",
    statement:
      "The Frobenius solution has rank min(n, d); that of the nuclear norm, where training K and Q goes, far less",
    source: "Section 2, lemma 1, figure 2",
    paper: "rank at most min(n, d)",
    async run({ rng, scale, onProgress }) {
      const sets = scale === "full" ? 10 : 3;
      const rows: [string, number, number][] = [];
      let all = true;
      for (const [n, length, d] of [
        [5, 5, 10],
        [10, 5, 10],
      ]) {
        let [frobenius, nuclear] = [0, 0];
        for (let i = 0; i < sets; i++) {
          const { examples, v } = randomProblem(rng, n, length, d);
          const { tokens } = optimalTokens(examples, v);
          const one = rankOf((await method.attentionSvm(examples, tokens)).w, 1e-6);
          all &&= one === Math.min(n, d);
          frobenius += one / sets;
          nuclear += rankOf((await method.attentionSvm(examples, tokens, { norm: "nuclear" })).w, 1e-4) / sets;
          await onProgress((rows.length + (i + 1) / sets) / 2);
        }
        rows.push([`${n}, ${length}, ${d}`, frobenius, nuclear]);
      }
      const ratio = Math.max(...rows.map(([, frobenius, nuclear]) => nuclear / frobenius));
      return {
        measured: { "n = 5": rows[0][2], "n = 10": rows[1][2] },
        holds: all && ratio <= 0.7,
        detail: `Ranks ${rows.map(([, frobenius, nuclear]) => `${figure(frobenius)} and ${figure(nuclear)}`).join(", ")} (Frobenius, nuclear); the first must be min(n, d), the second at most 0.7 of it.`,
        tables: [{ title: "Mean ranks", columns: ["n, T, d", "Frobenius", "nuclear"], rows }],
      };
    },
  };
}
