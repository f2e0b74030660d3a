// The zeros of a lasso
// Newton steps on greedy blocks find which variables are zero, and are then done; proximal gradient steps on random blocks
// take their time. Change the weight, the block size or the rule.
import { bcd, leastSquares } from "@offprint/faster-bcd";
import { random } from "@offprint/tensor-core";

const rng = random.rng(3);
const A = rng.normal([80, 200], { dtype: "float64" });
const truth = rng
  .normal([200], { dtype: "float64" })
  .mul(rng.bernoulli([200], { probability: 0.06, dtype: "float64" }));
const y = A.matmul(truth).add(rng.normal([80], { std: 0.3, dtype: "float64" }));
const problem = { smooth: leastSquares(A, y), composite: { kind: "l1", lambda: 15 } };

const best = await bcd(problem, { blockSize: 200, update: "pn" });
console.log(`${best.support.length} of 200 variables are not zero`);
const ways = {
  "greedy, Newton": { blockSize: 40, update: "pn" },
  "greedy, gradient": { blockSize: 40, update: "pg" },
  "random, Newton": { blockSize: 40, update: "pn", rule: "random" },
  "random, gradient": { blockSize: 40, update: "pg", rule: "random" },
};
const runs = [];
for (const [name, options] of Object.entries(ways)) {
  const { history, iterations, identifiedAt } = await bcd(problem, {
    ...options,
    maxIterations: 120,
    tolerance: 1e-12,
  });
  console.log(`${name}: ${iterations} iterations, support found after ${identifiedAt}`);
  runs.push({
    name,
    x: history.map((record) => record.iteration),
    y: history.map((record) => record.objective - best.objective),
  });
}

display({
  kind: "line",
  title: "Distance from the optimum",
  x: { label: "iteration" },
  y: { label: "F - F*", scale: "log" },
  curves: runs,
});
