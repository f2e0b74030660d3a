import { type Claim, type ClaimContext, figure, meanOf, memo } from "@offprint/claims";
import { concatenate, jitSync, random, type Tensor } from "@offprint/tensor-core";
import {
  behaviourCloning,
  fourierFeatures,
  type OfflineRecord,
  policyNetwork,
  type ValueUpdate,
  valueNetwork,
} from "../src/index.js";
import { type Method, odice } from "./method.js";
import { type SwampData, swampData, swampReturns } from "./swamp-maze.js";

interface Trained {
  readonly total: number;
  readonly success: number;
  /** Share of the weight on entering the swamp, relative to its share of the transitions. */
  readonly ratio: number;
  /** Means over the last 500 steps. */
  readonly cosine: number;
  readonly value: number;
}

type Kind = ValueUpdate | "cloning";

/** Figures over the last 500 steps. */
export function lastMean(history: readonly OfflineRecord[], name: string): number {
  const last = history.filter(({ step }) => step > (history.at(-1)?.step ?? 0) - 500);
  return meanOf(last.map(({ figures }) => figures[name]));
}

/** Random features of positions. */
const count = 128;

/** How long, and with which rates: at quick scale shorter, twice as fast, with half the transitions an update. */
const budget = ({ scale }: ClaimContext) =>
  scale === "full"
    ? { steps: 2500, batchSize: 256, learningRate: 2e-3, targetRate: 0.02 }
    : { steps: 1500, batchSize: 128, learningRate: 4e-3, targetRate: 0.04 };

async function trained(
  context: ClaimContext,
  method: Method,
  { dataset, entries }: SwampData,
  kind: Kind,
  seed: string,
): Promise<Trained> {
  const { batchSize, learningRate, targetRate, ...spent } = budget(context);
  // That the true gradient's values drift shows early.
  const steps = context.scale === "quick" && kind === "true" ? 300 : spent.steps;
  const features = jitSync(fourierFeatures(random.rng(`${seed}/features`), { inputs: 2, count }));
  // The features stand beside the positions, so that they are computed once.
  const beside = (x: Tensor): Tensor => concatenate([x, features(x)], 1);
  const wide = {
    ...dataset,
    observations: beside(dataset.observations),
    nextObservations: beside(dataset.nextObservations),
  };
  const onPositions = policyNetwork({ inputs: 2, outputs: 2, hidden: [64, 64] });
  const policyOfPositions: typeof onPositions = {
    init: (rng) => onPositions.init(rng),
    apply: (params, x) => onPositions.apply(params, x.slice([null, { stop: 2 }])),
  };
  const common = {
    steps,
    batchSize,
    seed,
    policy: policyOfPositions,
    policyLearningRate: learningRate,
    weightDecay: 0,
    recordEvery: 10,
    signal: context.signal,
  };
  const judge = random.rng(`${seed}/judge`);
  if (kind === "cloning") {
    const { policy } = await behaviourCloning(wide, common);
    return { ...swampReturns(judge, policy), ratio: 1, cosine: 0, value: 0 };
  }
  const { policy, history, weights } = await method.fit(wide, {
    ...common,
    type: kind,
    value: valueNetwork({
      inputs: 2,
      hidden: [64],
      twin: false,
      layerNorm: false,
      features: (x) => x.slice([null, { start: 2 }]),
      featureCount: count,
    }),
    lambda: 0.5,
    eta: 0.5,
    discount: 0.95,
    targetRate,
    valueLearningRate: learningRate,
  });
  const weight = Float64Array.from(weights(wide).data());
  const share = (of: (i: number) => number) => {
    const total = weight.reduce((sum, w) => sum + w, 0);
    return weight.reduce((sum, w, i) => sum + w * of(i), 0) / total;
  };
  return {
    ...swampReturns(judge, policy),
    ratio: share((i) => entries[i]) / meanOf(entries),
    cosine: lastMean(history, "cosine"),
    value: lastMean(history, "valueMean"),
  };
}

/** Runs of every kind, one for each pair of data and seed. */
const measured = memo(async (context: ClaimContext, method: Method): Promise<Record<Kind, Trained[]>> => {
  const pairs = context.scale === "full" ? 5 : 1;
  const kinds: Kind[] =
    context.scale === "full" ? ["orthogonal", "semi", "true", "cloning"] : ["orthogonal", "semi", "true"];
  const results: Record<Kind, Trained[]> = { orthogonal: [], semi: [], true: [], cloning: [] };
  for (let pair = 0; pair < pairs; pair++) {
    const seed = `swamp/${context.seed}/${pair}`;
    const data = swampData(random.rng(seed));
    for (const [i, kind] of kinds.entries()) {
      results[kind].push(await trained(context, method, data, kind, seed));
      await context.onProgress((pair + (i + 1) / kinds.length) / pairs);
    }
  }
  return results;
});

const mean = (runs: readonly Trained[], of: (run: Trained) => number) => meanOf(runs.map(of));

/** Function approximation, a maze with a swamp. */
export function swampMaze(method: Method = odice): Claim {
  return {
    id: "swamp-maze",
    statement: "With networks the orthogonal gradient keeps policies out of states that the data do not cover",
    source: "Section 5, Figure 3",
    paper: "orthogonal above semi above true gradient",
    async run(context) {
      const full = context.scale === "full";
      const { orthogonal, semi, true: exact, cloning } = await measured(context, method);
      const ours = { success: mean(orthogonal, (r) => r.success), total: mean(orthogonal, (r) => r.total) };
      const others = mean(semi, (r) => r.total);
      const pairwise = orthogonal.every(({ ratio }, i) => ratio < semi[i].ratio);
      const relative = mean(orthogonal, (r) => r.ratio) / mean(semi, (r) => r.ratio);
      const common = pairwise && ours.total >= others - 0.75;
      const holds = full
        ? common &&
          ours.success >= 0.95 &&
          ours.total >= -10.6 &&
          relative <= 0.75 &&
          ours.total >= mean(exact, (r) => r.total) + 4 &&
          ours.total >= mean(cloning, (r) => r.total) + 20
        : common && ours.success >= 0.9;
      return {
        measured: relative,
        holds,
        detail: full
          ? `Over ${orthogonal.length} data sets: success of the orthogonal gradient at least 0.95 (${figure(ours.success)}), return at least -10.6 (${figure(ours.total)}), at most 0.75 below the semi-gradient's (${figure(others)}), 4 above the true gradient's (${figure(mean(exact, (r) => r.total))}) and 20 above cloning (${figure(mean(cloning, (r) => r.total))}); weight on entering the swamp below the semi-gradient's on every one, in the mean at most 0.75 of it (${figure(relative)}).`
          : `Success of the orthogonal gradient must be at least 0.9 (${figure(ours.success)}), its return at most 0.75 below the semi-gradient's (${figure(ours.total)} to ${figure(others)}), its weight on entering the swamp below the semi-gradient's (${figure(relative)} of it). At full scale there are five data sets, the true gradient and cloning.`,
        tables: [
          {
            title: "Means over data sets",
            columns: ["gradient", "success", "return", "relative weight on the swamp"],
            rows: Object.entries({ orthogonal, semi, true: exact, cloning })
              .filter(([, runs]) => runs.length > 0)
              .map(([name, runs]) => [
                name,
                mean(runs, (r) => r.success),
                mean(runs, (r) => r.total),
                mean(runs, (r) => r.ratio),
              ]),
          },
        ],
      };
    },
  };
}

/** What the gradients do to each other. */
export function conflict(method: Method = odice): Claim {
  return {
    id: "conflict-of-gradients",
    statement:
      "Forward and backward gradient nearly cancel each other, so that the true gradient drives values far down",
    source: "Section 3.3, Figure 2",
    paper: "opposite directions",
    async run(context) {
      const { orthogonal, semi, true: exact } = await measured(context, method);
      const cosine = mean(orthogonal, (r) => r.cosine);
      const drift = mean(exact, (r) => r.value) / mean(semi, (r) => r.value);
      return {
        measured: cosine,
        holds: cosine < -0.9 && drift > 3,
        detail: `In the swamp maze the mean cosine between both over the last 500 steps must be below -0.9 (${figure(cosine)}), and the mean value under the true gradient above 3 times that under the semi-gradient (${figure(drift)} times).`,
      };
    },
  };
}
