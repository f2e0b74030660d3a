// A layer, which begins as a gain for every feature.

/** @type {import("./kinds.mjs").Kind} */
export const layer = {
  summary: "parameters, and what a network computes with them",
  dependencies: ["nn"],
  tested: ["testing"],
  types: (pascal) => [`${pascal}Options`, `${pascal}Params`],
  source: ({ camel, pascal }, { title }) => `import type { Layer } from "@offprint/nn";
import { asTensor, checkOptions, mul, ones, requireInteger, ShapeError, type Tensor } from "@offprint/tensor-core";

/** Options of \`${camel}\`. */
export interface ${pascal}Options {
  /** Extent of the last axis, an integer >= 1. */
  features: number;
}

/** Parameters of \`${camel}\`. */
export interface ${pascal}Params {
  /** \`[features]\`, ones at the start. */
  readonly gain: Tensor;
}

/**
 * ${title}: \`[..., features]\` to \`[..., features]\`.
 *
 * @throws ValueError for an option out of range, or one that there is not; \`apply\` a ShapeError for another last axis.
 */
export function ${camel}(options: ${pascal}Options): Layer<${pascal}Params> {
  checkOptions("${camel}", options, ["features"], ["features"]);
  const { features } = options;
  requireInteger("${camel}", "features", features, 1);
  return {
    init: (_, dtype = "float32") => ({ gain: ones([features], dtype) }),
    apply(params, input) {
      const x = asTensor(input);
      if (x.shape.at(-1) !== features) {
        throw new ShapeError(\`${camel}: the input has shape [\${x.shape}]; its last axis must be the \${features} features\`);
      }
      return mul(x, params.gain);
    },
  };
}
`,
  usage: ({ camel }, { slug }) => `import { ${camel} } from "@offprint/${slug}";
import { linear, sequential } from "@offprint/nn";
import { random } from "@offprint/tensor-core";

const network = sequential(linear({ inputs: 2, outputs: 8 }), ${camel}({ features: 8 }), linear({ inputs: 8, outputs: 1 }));
const params = network.init(random.rng(0));
console.log(String(network.apply(params, [[0.5, -1]])));`,
  options: [["features", "", "extent of the last axis, an integer >= 1"]],
  claim: ({ camel }) => ({
    imports: `import { abs, max, sub } from "@offprint/tensor-core";
import { ${camel} } from "../src/index.js";`,
    method: `typeof ${camel}`,
    body: `    run({ rng }) {
      const layer = method({ features: 16 });
      const x = rng.normal([100, 16], { dtype: "float64" });
      const measured = max(abs(sub(layer.apply(layer.init(rng, "float64"), x), x))).item();
      return {
        measured,
        holds: measured < 1e-12,
        detail: \`At the start the layer must change nothing, to 1e-12; it changes \${figure(measured)}.\`,
      };
    },`,
  }),
  broken: ({ camel }) => [
    "It gives twice what it should.",
    `(options) => {
  const { init, apply } = ${camel}(options);
  return { init, apply: (params, input) => apply(params, input).mul(2) };
}`,
  ],
  rejection: ({ camel }) => [
    "rejects a last axis of another extent, and says what it must be",
    `  const layer = ${camel}({ features: 3 });
  const params = layer.init(random.rng(0));
  expect(() => layer.apply(params, [1, 2])).toThrow("its last axis must be the 3 features");`,
  ],
  lasting: ({ camel }) => ({
    imports: `import { jitSync, random } from "@offprint/tensor-core";
import { expectClose, expectGradient, f64 } from "@offprint/testing";`,
    body: `const x = random.rng(1).normal([4, 3], { dtype: "float64" });

it("has the gradients that differences show", () => {
  const { apply } = ${camel}({ features: 3 });
  expectGradient((input, gain) => apply({ gain }, input), [x, f64([1, -0.5, 2])]);
});

it("is the same compiled", () => {
  const { init, apply } = ${camel}({ features: 3 });
  const params = init(random.rng(2), "float64");
  expectClose(jitSync(apply)(params, x), apply(params, x), 1e-14);
});
`,
  }),
  bench: ({ camel }, { title }) => `import { compare } from "@offprint/bench";
import { type Layer, layerNorm } from "@offprint/nn";
import { jitSync, random, type Tensor } from "@offprint/tensor-core";
import { ${camel} } from "../src/index.js";

/** What does it cost beside a layer normalisation, compiled? */
export async function run() {
  const rng = random.rng(0);
  const x = rng.normal([1024, 256]);
  const call = <P>({ init, apply }: Layer<P>) => {
    const params = init(rng);
    const compiled = jitSync((input: Tensor) => apply(params, input));
    return () => compiled(x);
  };
  await compare({
    name: ${JSON.stringify(`${title}: [1024, 256] float32`)},
    ours: call(${camel}({ features: 256 })),
    peers: { layerNorm: call(layerNorm({ features: 256 })) },
    work: { amount: x.size, unit: "value" },
  });
}
`,
  playground: ({ camel }, { slug }) => `import { ${camel} } from "@offprint/${slug}";
import { random, tensor } from "@offprint/tensor-core";

const layer = ${camel}({ features: 3 });
const params = layer.init(random.rng(0));
const at = Array.from({ length: 81 }, (_, i) => (i - 40) / 10);
const outputs = layer.apply(params, tensor(at.map((x) => [x, 1, -1])));
console.log(\`[\${outputs.shape}]\`);

display({
  kind: "line",
  title: "The first feature, as the first input grows",
  x: { label: "first input" },
  y: { label: "output" },
  curves: [{ name: "${camel}", x: at, y: at.map((_, i) => outputs.data()[3 * i]) }],
});
`,
};
