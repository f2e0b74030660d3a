import { type Claim, figure } from "@offprint/claims";
import { canyon } from "./landscapes.js";
import { distance, type Method, published } from "./method.js";

const POINTS: readonly (readonly number[])[] = [
  [6, 5],
  [3, 2],
];
const [ALPHA, WIDTH, MOST] = [1, 0.4, 0.03];
const SAMPLES = { quick: 4e5, full: 1e6 };

/** A hop is a step along the gradient averaged with the weights of the consensus, although no gradient enters it. */
export function hopIsGradient(method: Method = published, fixedSamples?: number): Claim {
  return {
    id: "hop-is-weighted-gradient",
    statement: "A hop is alpha s^2 times the gradient, averaged with the consensus weights, without gradients",
    source: "Section 3",
    paper: "x - h(x) = alpha s^2 E_w[grad E]",
    async run({ rng, scale, onProgress }) {
      const samples = fixedSamples ?? SAMPLES[scale];
      const { objective } = canyon();
      const tau = ALPHA * WIDTH * WIDTH;
      const rows: (readonly (string | number)[])[] = [];
      const differences: number[] = [];
      for (const x of POINTS) {
        const seed = rng
          .fork(String(x))
          .randint([], { high: 2 ** 31 - 1 })
          .item();
        const options = { width: WIDTH, alpha: ALPHA, samples, seed, gradient: "autodiff" as const };
        const hop = await method.hopGradient({ objective }, [...x], options);
        const step = Array.from(hop.gradient.data(), (g) => tau * g);
        const weighted = Array.from(hop.weightedGradient!.data(), (g) => tau * g);
        differences.push(distance(step, weighted) / Math.hypot(...weighted));
        rows.push([`(${x})`, ...step, ...weighted]);
        await onProgress(rows.length / POINTS.length);
      }
      return {
        measured: { "difference at (6, 5)": differences[0], "difference at (3, 2)": differences[1] },
        holds: differences.every((difference) => difference < MOST),
        detail:
          `Canyon, ${samples} samples of width ${WIDTH}, alpha ${ALPHA}: x - h(x) and alpha s^2 sum w grad E must differ by less ` +
          `than ${MOST} of their length; they differ by ${differences.map((value) => figure(value)).join(" and ")}.`,
        tables: [
          {
            title: "A hop, and the gradient step it amounts to",
            columns: ["x", "x - h, 1st", "x - h, 2nd", "tau E_w[grad E], 1st", "tau E_w[grad E], 2nd"],
            rows,
          },
        ],
      };
    },
  };
}
