import { type Claim, figure, medianOf } from "@offprint/claims";
import { mul } from "@offprint/tensor-core";
import { correlation, InfeasibleSvmError, selectTokens } from "../src/index.js";
import { fixedProblem, randomProblem } from "./data.js";
import { type Method, svmTransformers } from "./method.js";

const KNOWN = [
  ["3,0", 2.16303],
  ["3,1", 2.74743],
  ["3,4", 2.00789],
  ["5,0", 2.7553],
  ["5,1", 2.10067],
] as const;

/** Claim 5: where gradient descent stays. */
export function localOptima(method: Method = svmTransformers): Claim {
  return {
    id: "local-optima",
    statement:
      "Gradient descent keeps a choice of tokens whose support tokens have lower scores, and goes in the direction of its SVM; it leaves others",
    source: "Definition 2, theorems 4 and 5",
    paper: "converges in direction",
    async run({ rng, scale, onProgress }) {
      const steps = 4000;
      const { examples, v } = fixedProblem(2, 6, 3);
      const choices = await method.locallyOptimal(examples, v);
      const same =
        choices.length === KNOWN.length &&
        KNOWN.every(([tokens, norm]) =>
          choices.some((choice) => choice.tokens.join() === tokens && Math.abs(choice.objective - norm) < 1e-4),
        );
      let least = 1;
      let kept = true;
      const head = { kind: "linear", v } as const;
      for (const [i, { tokens, w }] of choices.entries()) {
        const run = await method.trainAttention(examples, { head, steps, recordEvery: steps, initial: mul(w, 40) });
        kept &&= run.selected.join() === tokens.join();
        least = Math.min(least, correlation(run.w, w));
        await onProgress((i + 1) / (2 * choices.length));
      }
      // Choices of random data that can be separated, and are not locally optimal.
      const others = scale === "full" ? 200 : 12;
      const random = randomProblem(rng, 2, 6, 3);
      const local = (await method.locallyOptimal(random.examples, random.v)).map(({ tokens }) => tokens.join());
      let [tried, stayed] = [0, 0];
      for (let number = 0; number < 36 && tried < others; number++) {
        const tokens = [number % 6, Math.floor(number / 6)];
        if (local.includes(tokens.join())) continue;
        try {
          const { w } = await method.attentionSvm(random.examples, tokens);
          const run = await method.trainAttention(random.examples, {
            head: { kind: "linear", v: random.v },
            steps,
            recordEvery: steps,
            initial: mul(w, 12),
          });
          tried++;
          if (run.selected.join() === tokens.join()) stayed++;
        } catch (error) {
          if (!(error instanceof InfeasibleSvmError)) throw error;
        }
      }
      return {
        measured: { "locally optimal choices": choices.length, "least correlation": least, "others kept": stayed },
        holds: same && kept && least >= 0.9998 && tried > 0 && stayed === 0,
        detail: `${choices.length} choices (${same ? "those" : "not those"} of a second program) of 36; training ${kept ? "keeps" : "does not keep"} all of them, correlation ${figure(least)} at least (0.9998); of ${tried} other choices that can be separated ${stayed} are kept (none may be).`,
      };
    },
  };
}

/** Claim 6: heads that are not linear. */
export function severalTokens(method: Method = svmTransformers): Claim {
  return {
    id: "several-tokens",
    statement: "Where attention keeps several tokens, weights are a finite part plus a multiple of a generalised SVM",
    source: "Section 6, figure 8",
    paper: "1 - correlation near 0",
    async run({ rng, scale, seed, onProgress }) {
      const wanted = scale === "full" ? 25 : 9;
      const dimensions = scale === "full" ? [4, 6, 8] : [8];
      const rows: [number, number, number, number, number][] = [];
      for (const d of dimensions) {
        const errors: [number, number, number][] = [];
        let several = 0;
        for (let i = 0; errors.length < wanted && i < 8 * wanted; i++) {
          const { examples } = randomProblem(rng, 3, 4, d);
          const head = { kind: "relu", v: rng.normal([d, 2], { dtype: "float64" }) } as const;
          const run = await method.trainAttention(examples, {
            head,
            steps: 4000,
            recordEvery: 4000,
            learningRate: 0.03,
            seed: `${seed} ${i}`,
          });
          const { tokens, clear } = selectTokens(run.attention);
          if (!clear || tokens.every(({ length }) => length === 4)) continue;
          try {
            const general = await method.generalisedSvm(examples, tokens, run.attention);
            const one = await method.attentionSvm(examples, run.selected);
            errors.push([
              1 - general.fit(run.w).correlation,
              1 - correlation(run.w, general.w),
              1 - correlation(run.w, one.w),
            ]);
            if (tokens.some(({ length }) => length > 1)) several++;
          } catch (error) {
            if (!(error instanceof InfeasibleSvmError)) throw error;
          }
          await onProgress(Math.min(1, errors.length / wanted));
        }
        // The median: where all units of the head are dead an example has no gradient, and what it selects is an accident.
        const typical = (at: 0 | 1 | 2) => medianOf(errors.map((each) => each[at]));
        rows.push([d, typical(0), typical(1), typical(2), several / errors.length]);
      }
      const last = rows[rows.length - 1];
      return {
        measured: { "generalised SVM": last[1], "one token": last[3] },
        holds: last[1] < 0.01 && last[1] < last[3] / 10,
        detail: `Median of 1 - correlation at d = 8: ${figure(last[1])} (below 0.01 and a tenth of the next), ${figure(last[3])} with the SVM of one token; ${figure(100 * last[4])} % of the runs keep several tokens.`,
        tables: [
          {
            title: "1 - correlation with trained weights",
            columns: ["d", "W_fin + c W_mm", "W_mm", "one token", "share with several tokens"],
            rows,
          },
        ],
      };
    },
  };
}
