import { type Claim, figure } from "@offprint/claims";
import { bib, type Method } from "./method.js";
import { average, designed, PROBLEMS, type Setting, SHARED_ROWS, type Size, sizeAt } from "./problems.js";

/** A model that has read sequences of the family designs better than one that has not. */
export function preTraining(method: Method = bib, quick: Partial<Size> = {}): Claim {
  return {
    id: "pre-training-matters",
    statement:
      "The features of a pre-trained language model design better sequences than those of one that read nothing",
    source: "Sections 4.2 and 5.4",
    paper: "the pre-trained model is what makes the kernel fit",
    async run(context) {
      const size = sizeAt(context, quick);
      const problems = PROBLEMS.slice(0, size.problems);
      const rows: [string, number[], number[]][] = [];
      for (const pool of context.scale === "full" ? (["mean", "flatten"] as const) : (["mean"] as const)) {
        const medians = async (model: "trained" | "untrained") => {
          const found: number[] = [];
          for (const k of problems) {
            found.push((await designed(context, method, { k, rows: SHARED_ROWS, pool, model }, "bib", size)).median);
            await context.onProgress((k + 1) / problems.length);
          }
          return found;
        };
        rows.push([pool, await medians("trained"), await medians("untrained")]);
      }
      const [[, trained, untrained]] = rows;
      const gain = average(trained) - average(untrained);
      return {
        measured: { "pre-trained": average(trained), untrained: average(untrained) },
        holds: gain >= 0.15,
        detail:
          `With mean pooling the mean over ${problems.length} landscapes of BIB's median true score must be 0.15 higher with the pre-trained model: ` +
          `${figure(average(trained))} against ${figure(average(untrained))}. With flatten pooling, where features know their place, the gain is small; it is printed at full scale.`,
        tables: [
          {
            title: "Median true score of BIB's designs",
            columns: ["pooling", "model", ...problems.map((k) => `landscape ${k}`)],
            rows: rows.flatMap(([pool, own, other]) => [
              [pool, "pre-trained", ...own],
              [pool, "untrained", ...other],
            ]),
          },
        ],
      };
    },
  };
}

/** From few rows the language model designs better than BDI's kernel, which knows nothing of language. */
export function smallData(method: Method = bib, quick: Partial<Size> = {}): Claim {
  return {
    id: "small-data",
    statement:
      "From 64 rows BIB designs better sequences than its predecessor with the kernel of an infinitely wide network",
    source: "Section 5.3, Tables 1 and 2",
    paper: "BIB above BDI",
    async run(context) {
      const size = sizeAt(context, quick);
      const problems = PROBLEMS.slice(0, size.problems);
      const counts = context.scale === "full" ? [64, 2000] : [64];
      const rows: { count: number; own: number[]; ntk: number[] }[] = [];
      for (const count of counts) {
        const each = { ...size, designs: Math.min(size.designs, 64), steps: Math.min(size.steps, 60) };
        const medians = async (setting: Omit<Setting, "k">, mode: "bib" | "bdi") => {
          const found: number[] = [];
          for (const k of problems) {
            found.push((await designed(context, method, { ...setting, k }, mode, each)).median);
            await context.onProgress((k + 1) / problems.length);
          }
          return found;
        };
        const common = { rows: count, pool: "flatten" } as const;
        rows.push({ count, own: await medians(common, "bib"), ntk: await medians({ ...common, model: "ntk" }, "bdi") });
      }
      const [{ own, ntk }] = rows;
      return {
        measured: { BIB: average(own), "BDI-NTK": average(ntk) },
        holds: average(own) - average(ntk) >= 0.15,
        detail:
          `From 64 rows the mean over ${problems.length} landscapes of the median true score must be 0.15 higher with BIB (flatten pooling) than with BDI-NTK: ` +
          `${figure(average(own))} against ${figure(average(ntk))}. From 2000 rows the order reverses, as single letters and pairs make these landscapes; it is printed at full scale.`,
        tables: [
          {
            title: "Median true score of the designs",
            columns: ["rows", "method", ...problems.map((k) => `landscape ${k}`)],
            rows: rows.flatMap((each) => [
              [each.count, "BIB", ...each.own],
              [each.count, "BDI-NTK", ...each.ntk],
            ]),
          },
        ],
      };
    },
  };
}

/** Where there are as many rows as features, the paper's ridge is too small. */
export function doubleDescent(method: Method = bib, quick: Partial<Size> = {}): Claim {
  return {
    id: "double-descent",
    statement:
      "Where there are as many rows as features the default ridge of 1e-6 spoils the designs, and 1e-2 mends them",
    source: "Section 4.1 (beta = 1e-6), a limit that the paper does not name",
    paper: "beta = 1e-6 everywhere",
    async run(context) {
      const size = sizeAt(context, { designs: 16, steps: 40, ...quick });
      const problems = PROBLEMS.slice(0, size.problems);
      const each = { designs: Math.min(64, size.designs), steps: size.steps };
      const ridges = context.scale === "full" ? [1e-6, 1e-4, 1e-2] : [1e-6, 1e-2];
      const medians: number[][] = [];
      for (const [i, ridge] of ridges.entries()) {
        medians.push([]);
        for (const k of problems) {
          const setting = { k, rows: 256, pool: "flatten", ridge } as const;
          medians[i].push((await designed(context, method, setting, "bib", each)).median);
          await context.onProgress((i + (k + 1) / problems.length) / ridges.length);
        }
      }
      const gains = problems.map((_, k) => medians[medians.length - 1][k] - medians[0][k]);
      return {
        measured: { "least gain": Math.min(...gains), "mean gain": average(gains) },
        holds: average(gains) >= 0.2 && gains.every((gain) => gain >= 0),
        detail:
          `From 256 rows with 256 features a ridge of 1e-2 must raise the median true score by 0.2 on average over ${problems.length} landscapes, and lower it on none; ` +
          `it rises by ${gains.map((gain) => figure(gain)).join(", ")}.`,
        tables: [
          {
            title: "Median true score of BIB's designs from 256 rows, flatten pooling",
            columns: ["ridge", ...problems.map((k) => `landscape ${k}`)],
            rows: ridges.map((ridge, i) => [ridge, ...medians[i]]),
          },
        ],
      };
    },
  };
}
