import { type Claim, type ClaimContext, figure, memo } from "@offprint/claims";
import { type random, type Tensor, ValueError } from "@offprint/tensor-core";
import { samplePatterns, trainBackprop, trainConvex, trainRobust } from "../src/index.js";
import { twoMoons, worstHinge } from "./problems.js";

/** Robust trainers that a test can put another in the place of. */
export type RobustTrainer = typeof trainRobust;

const EPS = 0.08;
const BETA = 0.01;
/**
 * Least distance of samples of different classes, in radii. On nearer ones the constraint that every neuron keeps its
 * activation in every box costs the fit: the optimum itself, with all usable patterns, leaves a loss of 1.75 on a draw
 * with a distance of 3.2.
 */
const SEPARATION = 4;

/** What is compared with the robust network on the i-th of so many draws, once for all trainers: GD-PGD, GD, clean convex. */
const competitors = memo(
  async (_: ClaimContext, __: number, ___: number, { x, y, seed }: { x: Tensor; y: Tensor; seed: number }) => {
    const descent = { loss: "hinge", beta: BETA, width: 20, steps: 600, learningRate: 0.02, seed } as const;
    const patterns = samplePatterns(x, { count: 60, seed });
    return [
      await trainBackprop(x, y, { ...descent, adversary: { kind: "pgd", eps: EPS, steps: 10 } }),
      await trainBackprop(x, y, descent),
      await trainConvex(x, y, { loss: "hinge", beta: BETA, certify: false, patterns, maxIterations: 500 }),
    ];
  },
  (draws, i) => [draws, i],
);

/** Convex adversarial training leaves no loss within the boxes, where attacks during back-propagation do. */
export function adversarialTraining(train: RobustTrainer = trainRobust, count = 1): Claim {
  return {
    id: "convex-adversarial-training",
    statement: "Convex adversarial training removes the worst-case loss that PGD training leaves",
    source: "Section 6, Figure 3",
    paper: "boxes stay on the right side of the boundary",
    async run(context) {
      const { rng, scale, onProgress, signal } = context;
      const seeds = scale === "full" ? 8 : count;
      const rows: [number, number, number, number, number][] = [];
      let redrawn = 0;
      for (const [i, part] of rng.split(seeds).entries()) {
        const [data, picks] = part.split(2);
        const { x, y, redrawn: more } = separatedMoons(data);
        redrawn += more;
        const seed = Number(picks.randint([1], { high: 2 ** 30 }).data()[0]);
        const patterns = samplePatterns(x, { count: 1600, seed, maxDraws: 50_000, usable: { eps: EPS } });
        const common = { loss: "hinge", beta: BETA, signal, certify: false } as const;
        const robust = await train(x, y, { ...common, eps: EPS, patterns, maxIterations: 2000 });
        const others = await competitors(context, seeds, i, { x, y, seed });
        const worst = [robust, ...others].map(({ net }) => worstHinge(net, x, y, EPS));
        rows.push([worst[0], worst[1], worst[2], worst[3], robust.networkObjective]);
        await onProgress((i + 1) / seeds);
      }
      const columns = [0, 1, 2, 3].map((c) => rows.map((row) => row[c]));
      const [robust, attacked, plain, clean] = columns;
      const holds = rows.every(
        ([own, pgd, gd, convex, objective]) =>
          own <= 0.1 && own < 0.25 * pgd && gd > 1 && convex > 1 && objective >= own,
      );
      return {
        measured: { robust: Math.max(...robust), "GD-PGD": Math.min(...attacked) },
        holds,
        detail:
          `On each of ${seeds} draws of two moons with classes at least ${SEPARATION} eps apart (${redrawn} draws were not) the worst hinge loss over the boxes must be at most 0.1 ` +
          `(${robust.map((value) => figure(value)).join(", ")}) and below a quarter of GD-PGD's (${attacked.map((value) => figure(value)).join(", ")}), that of ` +
          `GD (${plain.map((value) => figure(value)).join(", ")}) and of clean convex training (${clean.map((value) => figure(value)).join(", ")}) above 1, and the ` +
          "robust objective not below the loss.",
        series: [
          {
            kind: "bar",
            title: "Worst-case hinge loss of the training set",
            category: "draw",
            categories: rows.map((_, i) => `${i + 1}`),
            value: { label: "sum over 40 samples" },
            bars: ["convex robust", "GD-PGD", "GD", "clean convex"].map((name, c) => ({ name, values: columns[c] })),
          },
        ],
      };
    },
  };
}

/** Two moons, drawn again until samples of different classes are at least `SEPARATION` radii apart in the largest coordinate. */
function separatedMoons(rng: random.Rng) {
  for (const [redrawn, part] of rng.split(50).entries()) {
    const moons = twoMoons(part, 40, 0.12);
    const [x, y] = [moons.x.data(), moons.y.data()];
    let nearest = Infinity;
    for (let i = 0; i < y.length; i++) {
      for (let j = 0; j < i; j++) {
        if (y[i] === y[j]) continue;
        nearest = Math.min(nearest, Math.max(Math.abs(x[2 * i] - x[2 * j]), Math.abs(x[2 * i + 1] - x[2 * j + 1])));
      }
    }
    if (nearest >= SEPARATION * EPS) return { ...moons, redrawn };
  }
  throw new ValueError("separatedMoons: no draw has its classes so far apart");
}
