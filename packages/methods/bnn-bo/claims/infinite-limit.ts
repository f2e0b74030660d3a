import { type Claim, figure } from "@offprint/claims";
import { condition, type Kernel, nngp } from "@offprint/gaussian-process";
import { add, hostTensor, mul, random, square, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { hamiltonianProgram, regressionNetwork } from "../src/index.js";
import { type Method, published } from "./method.js";

const NOISE = 0.01;
const X = [-1.6, -1, -0.3, 0.2, 0.9, 1.5];
const AT = Array.from({ length: 9 }, (_, k) => -2 + k / 2);
const column = (values: readonly number[]) =>
  tensor(
    values.map((v) => [v]),
    { dtype: "float64" },
  );
const [inputs, targets] = [
  column(X),
  tensor(
    X.map((v) => Math.sin(2 * v)),
    { dtype: "float64" },
  ),
];

/** A relu network whose weights are multiples of standard normal ones: the prior of the infinite limit. */
function wideNetwork(units: number) {
  const network = regressionNetwork(1, { hidden: [units], activation: "relu" });
  const scales = new Float64Array(network.size).fill(1);
  scales.fill(Math.sqrt(2 / units), 2 * units, 3 * units);
  const scale = hostTensor(scales, [network.size], "float64");
  const output = (w: Tensor, x: Tensor) => network.apply(mul(w, scale), x);
  const program = hamiltonianProgram<{ x: Tensor; y: Tensor }>((w, { x, y }) =>
    mul(-0.5, add(sum(square(sub(y, output(w, x)))).div(NOISE), sum(square(w)))),
  );
  return { size: network.size, output, program };
}

/** The read-out has a bias of variance 1. */
function withBias(kernel: Kernel): Kernel {
  return {
    parameters: kernel.parameters,
    values: kernel.values,
    matrix: (x, x2) => add(1, kernel.matrix(x, x2)),
    diagonal: (x) => add(1, kernel.diagonal(x)),
    with: (parameters) => withBias(kernel.with(parameters)),
  };
}

const networks = new Map([25, 100].map((units) => [units, wideNetwork(units)]));

/** The sampler on networks that grow wide. */
export function infiniteLimit(method: Method = published): Claim {
  return {
    id: "infinite-limit",
    statement: "Posteriors of wide networks, sampled, come near that of the infinitely wide one, the nearer the wider",
    source: "Section 3.3",
    paper: "the limit",
    async run({ seed, scale, onProgress }) {
      const kernel = nngp({
        kind: "fullyConnected",
        depth: 1,
        activation: "relu",
        weightVariance: 1,
        biasVariance: 1,
        readoutVariance: 2,
      });
      const limit = condition(withBias(kernel), inputs, targets, { noise: NOISE });
      const [mean, deviation] = [limit.mean(column(AT)).data(), limit.variance(column(AT)).sqrt().data()];
      const sizes = scale === "full" ? { burnIn: 300, samples: 2000 } : { burnIn: 150, samples: 300 };
      const rms: Record<number, number> = {};
      let [largest, low, high] = [0, Infinity, 0];
      for (const [units, { size, output, program }] of networks) {
        const start = random.rng(`${seed}/${units}`).normal([size], { dtype: "float64" });
        const { samples } = await method.hamiltonianMonteCarlo(
          program,
          start,
          { x: inputs, y: targets },
          { ...sizes, path: 1, stepSize: 0.01, seed: `${seed}/chain` },
        );
        const rows = Array.from({ length: sizes.samples }, (_, k) => output(samples.slice([k]), column(AT)).data());
        const at = AT.map((_, j) => rows.reduce((total, row) => total + row[j], 0) / rows.length);
        const spread = AT.map((_, j) =>
          Math.sqrt(rows.reduce((total, row) => total + (row[j] - at[j]) ** 2, 0) / rows.length),
        );
        const differences = AT.map((_, j) => Math.abs(at[j] - mean[j]) / deviation[j]);
        rms[units] = Math.sqrt(differences.reduce((total, v) => total + v * v, 0) / AT.length);
        if (units === 100) {
          largest = Math.max(...differences);
          const ratios = spread.map((v, j) => v / deviation[j]);
          [low, high] = [Math.min(...ratios), Math.max(...ratios)];
        }
        await onProgress(units / 100);
      }
      const most = scale === "full" ? 0.75 : 1;
      return {
        measured: { "largest difference": largest, "25 units, rms": rms[25], "100 units, rms": rms[100] },
        holds: largest <= most && low >= 0.75 && high <= 1.35 && rms[100] <= 0.75 * rms[25],
        detail:
          `Differences of means in deviations of the limit: at 100 units at most ${most} (${figure(largest)}), deviations 0.75 to 1.35 of the limit's (${figure(low)} to ` +
          `${figure(high)}); root of mean squares at 100 units at most 0.75 of that at 25 (${figure(rms[100])} beside ${figure(rms[25])}).`,
      };
    },
  };
}
