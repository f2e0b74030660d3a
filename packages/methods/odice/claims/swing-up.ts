import { type Claim, figure, meanOf } from "@offprint/claims";
import { random } from "@offprint/tensor-core";
import { behaviourCloning, type ValueUpdate } from "../src/index.js";
import { type Method, odice } from "./method.js";
import { pendulumData, pendulumReturns } from "./pendulum.js";

/** Data of mixed quality, continuous control. */
export function swingUp(method: Method = odice): Claim {
  return {
    id: "mixed-quality",
    statement: "From episodes of which most are useless, the orthogonal gradient learns the good ones' control",
    source: "Section 5, Table 1",
    paper: "orthogonal above semi above true gradient",
    async run(context) {
      const { seed, scale, signal, onProgress } = context;
      const full = scale === "full";
      const [steps, batchSize, learningRate] = full ? [2500, 256, 1e-3] : [1250, 128, 2e-3];
      const runs = full ? 5 : 1;
      const kinds = full ? (["orthogonal", "semi", "true", "cloning"] as const) : (["orthogonal", "cloning"] as const);
      const returns: Record<ValueUpdate | "cloning", number[]> = { orthogonal: [], semi: [], true: [], cloning: [] };
      for (let run = 0; run < runs; run++) {
        const own = `pendulum/${seed}/${run}`;
        const dataset = pendulumData(random.rng(own));
        const common = {
          steps,
          batchSize,
          seed: own,
          signal,
          policy: { hidden: [64, 64] },
          policyLearningRate: learningRate,
          weightDecay: 0,
        };
        for (const [i, kind] of kinds.entries()) {
          const { policy } =
            kind === "cloning"
              ? await behaviourCloning(dataset, { ...common, steps: full ? steps : 500 })
              : await method.fit(dataset, {
                  ...common,
                  type: kind,
                  value: { hidden: [64, 64], twin: false, layerNorm: false },
                  lambda: 0.6,
                  eta: 0.5,
                  discount: 0.97,
                  targetRate: full ? 0.02 : 0.04,
                  valueLearningRate: learningRate,
                });
          returns[kind].push(pendulumReturns(random.rng(`${own}/judge`), policy));
          await onProgress((run + (i + 1) / kinds.length) / runs);
        }
      }
      const mean = (kind: keyof typeof returns) => meanOf(returns[kind]);
      const ours = mean("orthogonal");
      const holds = full
        ? ours > mean("semi") - 10 && Math.min(ours, mean("semi")) >= Math.max(mean("true"), mean("cloning")) + 150
        : ours >= mean("cloning") + 150;
      return {
        measured: ours,
        holds,
        detail: full
          ? `Over ${runs} data sets of the pendulum the return must be at most 10 below the semi-gradient's (${figure(ours)} to ${figure(mean("semi"))}), and both 150 above those of the true gradient (${figure(mean("true"))}) and of cloning (${figure(mean("cloning"))}).`
          : `On the pendulum the return must be 150 above that of cloning (${figure(ours)} to ${figure(mean("cloning"))}); the controller has -150. At full scale there are five data sets, the semi- and the true gradient.`,
      };
    },
  };
}
