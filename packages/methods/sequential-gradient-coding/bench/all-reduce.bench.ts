// How long does training on eight threads of which some are slow take, beside an all-reduce of the same threads without a master?
import { compare } from "@offprint/bench";
import type { Cluster, Team } from "@offprint/cluster";
import { sgd } from "@offprint/optim";
import { tree } from "@offprint/tensor-core";
import { digitHalves } from "../claims/digit-halves.js";
import { trainAlone } from "../claims/exact-run.js";
import { firstModels } from "../claims/logistic-regression.js";
import { profile } from "../claims/profiles.js";
import { threads } from "../claims/real-workers.js";
import { gc, mSgc, type Scheme, trainOnCluster, uncoded } from "../src/index.js";
import { AllReduce } from "./all-reduce.js";

const [workers, samples, steps, models] = [8, 1792, 40, 5];
/** Milliseconds of a normal round, and the time of a full gradient in normal rounds. */
const [unit, alpha] = [15, 5];

/** A cluster whose team stays open from one run to the next: what is measured is the training. */
function staying(where: Pick<Cluster, "team">): Pick<Cluster, "team"> {
  let opened: Promise<Team<never, never>> | undefined;
  return {
    async team(job, options) {
      opened ??= where.team<never, never, never>(job, options as never);
      const team = await opened;
      const stays = { size: team.size, broadcast: team.broadcast.bind(team), round: team.round.bind(team) };
      return { ...stays, close: async () => undefined } as never;
    },
  };
}

/** Runs the comparisons. */
export async function run(): Promise<void> {
  const delays = profile("bench", workers, steps + 4, 0.05).map((row) => row.map((each) => unit * each));
  const data = digitHalves(samples);
  const { models: right } = await trainAlone(data, models, steps);
  const expected = tree.leaves(right).flatMap((leaf) => [...leaf.data()]);
  const check = (found: readonly number[]) => {
    const error = Math.max(...found.map((x, k) => Math.abs(x - expected[k])));
    if (!(error <= 1e-7)) throw new Error(`the weights are ${error} from those of one process`);
  };
  const where = await threads.open();
  const under = (scheme: Scheme) => {
    const here = staying(where);
    return async () => {
      const config = { delays, costs: unit * alpha };
      const problem = {
        job: threads.job,
        models: firstModels(models),
        optimizer: sgd({ learningRate: 1 }),
        data,
        config,
      };
      const run = await trainOnCluster(here, scheme, problem, { steps });
      check(tree.leaves(run.models).flatMap((leaf) => [...leaf.data()]));
    };
  };
  const pauses = delays.map((row) => row.map((each) => each + (unit * alpha) / workers));
  const reduce = await AllReduce.open(pauses, { samples, steps, models, learningRate: 1 }, data.x.shape[1] + 2);
  await compare({
    name: `${steps} steps on ${workers} threads with stragglers: M-SGC(2, 4, 3)`,
    ours: under(mSgc({ workers, burst: 2, window: 4, lambda: 3 })),
    peers: {
      "all-reduce": async () => (await reduce.train()).forEach(check),
      "uncoded under a master": under(uncoded({ workers })),
      "GC(1)": under(gc({ workers, stragglers: 1 })),
    },
    maxRatio: 1,
    repetitions: 5,
  });
  await reduce.close();
  await where.close();
}
