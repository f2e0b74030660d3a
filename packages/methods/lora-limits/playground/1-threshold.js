// When a LoRA gradient needs no quadratic work
// The gradient of an attention head's adapters, exactly and from a polynomial of the scores, for queries and keys of
// growing norm. Change `tokens` or `degree`: the error explodes where norms pass the square root of log L.
import { loraGradients } from "@offprint/lora-limits";
import { abs, div, matmul, max, mul, random, sub } from "@offprint/tensor-core";

const [tokens, width, degree] = [512, 4, 6];
const rng = random.rng("threshold");
const draw = (...shape) => rng.normal(shape, { dtype: "float64" });

const x = draw(tokens, 8);
const target = draw(tokens, width);
const unit = () => {
  const weight = draw(8, width);
  return div(weight, max(abs(matmul(x, weight)))); // the largest entry of x weight is 1
};
const [q, k, v] = [unit(), unit(), draw(8, width)];

const norms = [0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3];
const errors = [];
const certified = [];
for (const norm of norms) {
  const head = { q: mul(q, norm), k: mul(k, norm), v, beta: 0.25 };
  const exact = await loraGradients(x, head, { target }, { strategy: "exact" });
  const near = await loraGradients(x, head, { target }, { strategy: "almostLinear", degree });
  errors.push(max(abs(sub(near.weights.q, exact.weights.q))).item());
  certified.push(Number.isFinite(near.bound.weights.q) ? near.bound.weights.q : null);
}

display({
  kind: "line",
  title: `LoRA gradient of ${tokens} tokens, degree ${degree}`,
  x: { label: "largest entry of queries and keys" },
  y: { label: "error of dW_Q", scale: "log" },
  curves: [
    { name: "measured", x: norms, y: errors, style: "line-points" },
    { name: "certified", x: norms, y: certified, style: "line-points" },
  ],
  references: [{ axis: "x", value: Math.sqrt(Math.log(tokens)), label: "sqrt(ln L)" }],
});
