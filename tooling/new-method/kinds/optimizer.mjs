// An optimizer, which begins as gradient descent along a mean of the gradients.

/** @type {import("./kinds.mjs").Kind} */
export const optimizer = {
  summary: "updates from gradients, for any training loop",
  dependencies: ["optim"],
  tested: [],
  types: (pascal) => [`${pascal}Options`, `${pascal}State`],
  source: ({ camel, pascal }, { title }) => `import {
  descend,
  type ElementwiseRule,
  type ElementwiseState,
  elementwiseOptimizer,
  type GradientTransformation,
  runningMean,
  type Schedule,
} from "@offprint/optim";
import { checkOptions, requireDecayRate } from "@offprint/tensor-core";

/** Options of \`${camel}\`; the defaults are the paper's. */
export interface ${pascal}Options {
  /** alpha >= 0: a number, or a schedule of the update's number. Default 1e-3. */
  learningRate?: number | Schedule;
  /** Decay rate of the mean of gradients, in [0, 1). Default 0.9. */
  beta?: number;
  /** lambda >= 0 of the decoupled weight decay. Default 0. */
  weightDecay?: number;
}

/** The state of \`${camel}\`: the number of updates, and trees like the parameters that are zero at the start. */
export type ${pascal}State = ElementwiseState<"momentum">;

/** The update of one tensor: \`m_t = beta m_{t-1} + (1 - beta) g_t\`, \`theta_t = theta_{t-1} - alpha m_t\`. */
function rule(beta: number): ElementwiseRule<"momentum"> {
  return {
    name: "${camel}",
    slots: ["momentum"],
    formula(g, { momentum }, context) {
      const m = runningMean(momentum, g, beta);
      return { update: descend(m, context), slots: { momentum: m } };
    },
  };
}

/**
 * ${title}.
 *
 * @throws ValueError for an option out of range, or one that there is not.
 */
export function ${camel}(options: ${pascal}Options = {}): GradientTransformation<${pascal}State> {
  checkOptions("${camel}", options, ["learningRate", "beta", "weightDecay"]);
  const { learningRate = 1e-3, beta = 0.9, weightDecay = 0 } = options;
  requireDecayRate("${camel}", "beta", beta);
  return elementwiseOptimizer(rule(beta), { learningRate, decoupledWeightDecay: weightDecay });
}
`,
  usage: ({ camel }, { slug }) => `import { ${camel} } from "@offprint/${slug}";
import { minimize } from "@offprint/optim";
import { square, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";

const target = tensor([1, -2]);
const loss = (x: Tensor) => sum(square(sub(x, target)));
const { params } = await minimize(loss, tensor([0, 0]), ${camel}({ learningRate: 0.1 }), { steps: 300 });
console.log(String(params)); // close to [1, -2]`,
  options: [
    ["learningRate", "1e-3", "alpha >= 0, or a schedule of the update's number"],
    ["beta", "0.9", "decay rate of the mean of gradients, in [0, 1)"],
    ["weightDecay", "0", "lambda >= 0 of the decoupled weight decay"],
  ],
  claim: ({ camel, pascal }) => ({
    imports: `import { quadratic } from "@offprint/claims/makers";
import { type GradientTransformation, minimize } from "@offprint/optim";
import { zerosLike } from "@offprint/tensor-core";
import { type ${pascal}Options, ${camel} } from "../src/index.js";`,
    method: `(options: ${pascal}Options) => GradientTransformation`,
    body: `    async run({ rng, scale, onProgress }) {
      const { value, minimizer } = quadratic(rng, [1, 10]);
      const steps = scale === "full" ? 1000 : 400;
      const { history } = await minimize(value, zerosLike(minimizer), method({ learningRate: 0.05 }), {
        steps,
        onProgress: ({ step }) => onProgress(step / steps),
      });
      const losses = history.map(({ loss }) => loss);
      const measured = losses[losses.length - 1];
      return {
        measured,
        holds: measured < 1e-3,
        detail: \`The loss after \${steps} updates must be below 1e-3; it is \${figure(measured)}.\`,
        series: [
          {
            kind: "line",
            title: "Loss over the updates",
            x: { label: "update" },
            y: { label: "loss", scale: "log" },
            curves: [{ name: "loss", y: losses }],
          },
        ],
      };
    },`,
  }),
  broken: ({ camel }) => ["It never moves.", `(options) => ${camel}({ ...options, learningRate: 0 })`],
  rejection: ({ camel }) => [
    "rejects a decay rate of one, and says what to give",
    `  expect(() => ${camel}({ beta: 1 })).toThrow(/beta is 1; it must be in \\[0, 1\\)/);`,
  ],
  conformance: ({ camel, pascal }) =>
    `import { optimizerConformance } from "@offprint/optim/conformance";
import { describe, expect, it } from "vitest";
import { type ${pascal}Options, ${camel} } from "../src/index.js";

optimizerConformance(
  "${camel}",
  {
    make: ${camel},
    quadratic: { learningRate: 0.1, steps: 400, tolerance: 1e-3 },
    invalid: [
      () => ${camel}({ lr: 0.1 } as ${pascal}Options),
      () => ${camel}({ learningRate: -1 }),
      () => ${camel}({ beta: 1 }),
      () => ${camel}({ weightDecay: -1 }),
    ],
  },
  { describe, it, expect },
);
`,
  bench: ({ camel }, { title }) => `import { compare } from "@offprint/bench";
import { adam, applyUpdates, type GradientTransformation } from "@offprint/optim";
import { jitSync, random, type Tensor } from "@offprint/tensor-core";
import { ${camel} } from "../src/index.js";

const SIZE = 1e6;

/** What does an update of a million float32 parameters cost beside Adam's? */
export async function run() {
  const rng = random.rng(0);
  const [first, gradient] = [rng.normal([SIZE]), rng.normal([SIZE])];
  const stepOf = (optimizer: GradientTransformation) => {
    const update = jitSync(
      (params: Tensor, state: any) => {
        const { updates, state: after } = optimizer.update(gradient, state, params);
        return { params: applyUpdates(params, updates), state: after };
      },
      { resident: true },
    );
    let now = { params: first, state: optimizer.init(first) };
    return () => {
      now = update(now.params, now.state) as typeof now;
    };
  };
  await compare({
    name: ${JSON.stringify(`${title}: an update, 1e6 float32`)},
    ours: stepOf(${camel}()),
    peers: { "shared Adam": stepOf(adam()) },
    work: { amount: SIZE, unit: "parameter" },
  });
}
`,
  playground: ({ camel }, { slug }) => `import { ${camel} } from "@offprint/${slug}";
import { adam, minimize } from "@offprint/optim";
import { mul, square, sum, tensor } from "@offprint/tensor-core";

const valley = (x) => sum(mul(square(x), [1, 0.01]));
const curves = [];
for (const [name, optimizer] of Object.entries({
  Adam: adam({ learningRate: 0.1 }),
  ${camel}: ${camel}({ learningRate: 0.1 }),
})) {
  const { params, history } = await minimize(valley, tensor([3, 3]), optimizer, { steps: 200 });
  console.log(\`\${name} ends at \${params}\`);
  curves.push({ name, y: history.map(({ loss }) => loss) });
}

display({
  kind: "line",
  title: "Loss in a long valley",
  x: { label: "update" },
  y: { label: "loss", scale: "log" },
  curves,
});
`,
};
