// What is computed at once: it begins as a multiple of its argument.

/** @type {import("./kinds.mjs").Kind} */
export const formula = {
  summary: "computed at once: a formula, a schedule, a bound",
  dependencies: [],
  tested: ["testing"],
  types: (pascal) => [`${pascal}Options`],
  source: (
    { camel, pascal },
    { title },
  ) => `import { asTensor, checkOptions, mul, requirePositive, type Tensor, type TensorLike } from "@offprint/tensor-core";

/** Options of \`${camel}\`. */
export interface ${pascal}Options {
  /** Factor, > 0. Default 1. */
  scale?: number;
}

/**
 * ${title}: of every value of \`x\`, in its shape.
 *
 * @throws ValueError for an option out of range, or one that there is not.
 */
export function ${camel}(x: TensorLike, options: ${pascal}Options = {}): Tensor {
  checkOptions("${camel}", options, ["scale"]);
  const { scale = 1 } = options;
  requirePositive("${camel}", "scale", scale);
  return mul(asTensor(x), scale);
}
`,
  usage: ({ camel }, { slug }) => `import { ${camel} } from "@offprint/${slug}";
import { tensor } from "@offprint/tensor-core";

console.log(String(${camel}(tensor([0.5, -1]), { scale: 2 })));`,
  options: [["scale", "1", "factor, > 0"]],
  claim: ({ camel }) => ({
    imports: `import { abs, max, sub } from "@offprint/tensor-core";
import { ${camel} } from "../src/index.js";`,
    method: `typeof ${camel}`,
    body: `    run({ rng }) {
      const x = rng.normal([1000], { dtype: "float64" });
      const measured = max(abs(sub(method(x.mul(2)), method(x).mul(2)))).item();
      return {
        measured,
        holds: measured < 1e-12,
        detail: \`Of twice the argument it must be twice as much, to 1e-12; it differs by \${figure(measured)}.\`,
      };
    },`,
  }),
  broken: ({ camel }) => [
    "It grows with the square.",
    `(x, options) => {
  const value = ${camel}(x, options);
  return value.mul(value);
}`,
  ],
  rejection: ({ camel }) => [
    "rejects a scale of zero, and says what to give",
    `  expect(() => ${camel}(1, { scale: 0 })).toThrow(/scale is 0; it must be/);`,
  ],
  lasting: ({ camel }) => ({
    imports: `import { jitSync, random, type Tensor } from "@offprint/tensor-core";
import { expectClose, expectGradient } from "@offprint/testing";`,
    body: `const x = random.rng(1).normal([5], { dtype: "float64" });

it("has the gradient that differences show", () => expectGradient((at) => ${camel}(at), [x]));

it("is the same compiled", () => {
  expectClose(jitSync((at: Tensor) => ${camel}(at))(x), ${camel}(x), 1e-14);
});
`,
  }),
  bench: ({ camel }, { title }) => `import { compare } from "@offprint/bench";
import { jitSync, random, type Tensor, tanh } from "@offprint/tensor-core";
import { ${camel} } from "../src/index.js";

/** What does it cost beside a hyperbolic tangent, compiled? */
export async function run() {
  const x = random.rng(0).normal([1e6]);
  const [own, peer] = [jitSync((at: Tensor) => ${camel}(at)), jitSync((at: Tensor) => tanh(at))];
  await compare({
    name: ${JSON.stringify(`${title}: 1e6 float32`)},
    ours: () => own(x),
    peers: { tanh: () => peer(x) },
    work: { amount: x.size, unit: "value" },
  });
}
`,
  playground: ({ camel }, { slug }) => `import { ${camel} } from "@offprint/${slug}";
import { tensor } from "@offprint/tensor-core";

const at = Array.from({ length: 81 }, (_, i) => (i - 40) / 10);
const values = ${camel}(tensor(at));
console.log(\`[\${values.shape}]\`);

display({
  kind: "line",
  title: "What it makes of a number",
  x: { label: "x" },
  y: { label: "value" },
  curves: [{ name: "${camel}", x: at, y: Array.from(values.data()) }],
});
`,
};
