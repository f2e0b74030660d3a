import { type Claim, figure, largestDifference, meanOf } from "@offprint/claims";
import { linalg, type random, tensor } from "@offprint/tensor-core";
import { baselines, linearModel, losses, type TargetLoss } from "../src/index.js";
import { type Method, targetSurrogates } from "./method.js";

const double = { dtype: "float64" } as const;
const [N, C] = [12, 3];

/** Least of `q - h` over random pairs of outputs, in [1/L, 4/L]. */
async function margins(method: Method, loss: TargetLoss, outputs: number, rng: random.Rng, eta: number) {
  const ids = Int32Array.from({ length: N }, (_, i) => i);
  let least = Number.POSITIVE_INFINITY;
  for (let k = 0; k < 100; k++) {
    const z0 = rng.normal([N, outputs], double).mul(3);
    const z = z0.add(rng.normal([N, outputs], double).mul(10 ** (k % 3) / 10));
    const at = await loss.oracle(z0, ids, { grad: true, curvature: false });
    const there = await loss.oracle(z, ids, { grad: false, curvature: false });
    const mean = (values: any) => meanOf([...(values.data() as Float64Array)]);
    const q = method.surrogate(z0, at.grad ?? 0, 1 / eta, mean(at.loss));
    least = Math.min(least, q.value(z).item() - mean(there.loss));
  }
  return least;
}

/** The surrogate bounds the loss; one step is SGD; one exact step of least squares is the solution. */
export function majorizer(method: Method = targetSurrogates): Claim {
  return {
    id: "majorizer",
    statement: "With eta <= 1/L the surrogate is a bound of the loss; with one inner step the method is SGD",
    source: "Section 3",
    paper: "exact",
    async run({ rng, seed }) {
      const rows: (readonly [name: string, bound: number, beyond: number])[] = [];
      const classes = rng.randint([N], { high: C }).data();
      for (const [name, loss, outputs] of [
        ["squared", losses.squared(rng.normal([N, C], double)), C],
        ["logistic", losses.logistic(Float64Array.from(classes, (k) => k % 2)), 1],
        ["softmax", losses.softmax(classes), C],
      ] as const) {
        const L = loss.smoothness;
        rows.push([
          name,
          await margins(method, loss, outputs, rng, 1 / L),
          await margins(method, loss, outputs, rng, 4 / L),
        ] as const);
      }
      const [bound, beyond] = [1, 2].map((at) => rows.map((row) => row[at] as number));

      const x = rng.normal([60, 5], double);
      const y = rng.normal([60], double);
      const { oracle } = losses.squared(y);
      const model = linearModel(5, 1, { initial: rng.normal([5, 1], double) });
      const run = { steps: 50, batch: 12, seed };
      const stepped = await method.sso(model, { x }, oracle, {
        ...run,
        eta: 1,
        inner: { solver: "fixed", steps: 1, learningRate: 0.03, tolerance: 0 },
      });
      const sgd = await baselines.sgd(model, { x }, oracle, { ...run, learningRate: 0.03 });
      const same = largestDifference(stepped.params, sgd.params);
      const solved = await method.sso(model, { x }, oracle, { eta: 1, steps: 1, inner: { solver: "exact" } });
      const solution = linalg.lstsq(x, tensor(y.data(), { shape: [60, 1] }));
      const once = largestDifference(solved.params, solution);
      return {
        measured: { "least q - h at 1/L": Math.min(...bound), "from SGD": same, "from least squares": once },
        holds:
          bound.every((each) => each >= -1e-12) && beyond.every((each) => each < 0) && same <= 1e-12 && once <= 1e-10,
        detail:
          `Least q - h over 100 pairs of outputs and three losses: ${Math.min(...bound).toExponential(1)} at eta = 1/L (>= -1e-12); at 4/L there are violations for all. ` +
          `After 50 steps ${figure(same)} from SGD (<= 1e-12); one exact step is ${figure(once)} from the least-squares solution (<= 1e-10).`,
        tables: [
          { title: "Least q - h", columns: ["loss", "eta = 1/L", "eta = 4/L"], rows: rows.map((row) => [...row]) },
        ],
      };
    },
  };
}
