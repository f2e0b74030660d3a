// Which token will attention select?
// Three examples of six tokens in the plane, and a head that values the direction v. Training turns W until one token of each
// example has all the attention, and its direction towards that of a support vector machine. Try another seed.
import { attentionSvm, correlation, optimalTokens, trainAttention } from "@offprint/svm-transformers";
import { random } from "@offprint/tensor-core";

const [seed, n, T, d] = [5, 3, 6, 6];
const rng = random.rng(seed);
const draw = (...shape) => rng.normal(shape, { dtype: "float64" });
const examples = { tokens: draw(n, T, d), queries: draw(n, d), labels: [1, -1, 1] };
const v = draw(d);

const curves = [];
for (const [parameters, norm] of [
  ["w", "frobenius"],
  ["kq", "nuclear"],
]) {
  const y = [];
  const x = [];
  let initial;
  let run;
  for (let steps = 20; steps <= 1280; steps *= 2) {
    run = await trainAttention(examples, {
      head: { kind: "linear", v },
      parameters,
      steps: steps / 2,
      ...(initial && { initial }),
    });
    initial = parameters === "w" ? run.w : { k: run.k, q: run.q };
    const { w } = await attentionSvm(examples, run.selected, { norm });
    x.push(steps);
    y.push(correlation(run.w, w));
  }
  console.log(parameters, "selects", run.selected.join(", "), "of", optimalTokens(examples, v).tokens.join(", "));
  curves.push({ name: `${parameters === "w" ? "W" : "K and Q"}, ${norm} norm`, x, y, style: "line-points" });
}
display({
  kind: "line",
  title: "Attention turns into a support vector machine",
  x: { label: "steps of training", scale: "log" },
  y: { label: "correlation of weights and margin" },
  curves,
});
