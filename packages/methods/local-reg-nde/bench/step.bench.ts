import { compare } from "@offprint/bench";
import { localRegularizer } from "@offprint/local-reg-nde";
import { integrate } from "@offprint/ode";
import {
  abs,
  add,
  grad,
  jitSync,
  matmul,
  mean,
  mul,
  random,
  square,
  sum,
  type Tensor,
  tanh,
} from "@offprint/tensor-core";

/* What does the local step cost a gradient, beside the same without a regulariser and with the global one? */

const rng = random.rng("bench");
const draw = (shape: number[]) => mul(rng.normal(shape, { dtype: "float64" }), 0.2);
const weights = { a: draw([64, 40]), b: draw([40, 64]) };
const x = draw([100, 64]);
type W = typeof weights;
const rate = (_t: Tensor, z: Tensor, { a, b }: W) => matmul(tanh(matmul(z, a)), b);
const settings = { relativeTolerance: 1e-6, absoluteTolerance: 1e-6, maxSteps: 64 };

/** Runs the comparison. */
export async function run(): Promise<void> {
  const vanilla = jitSync(grad((w: W) => mean(square(integrate(rate, x, [0, 1], { ...settings, parameters: w }).y))));
  const global = jitSync(
    grad((w: W) => {
      const { y, errors, stepSizes } = integrate(rate, x, [0, 1], { ...settings, parameters: w });
      return add(mean(square(y)), sum(mul(errors, abs(stepSizes))));
    }),
  );
  const local = jitSync(
    grad((w: W) => {
      const solved = integrate(rate, x, [0, 1], { ...settings, parameters: w, dense: true });
      return add(mean(square(solved.y)), localRegularizer(rate, solved, [0, 1], 0.4, { parameters: w }));
    }),
  );
  await compare({
    name: "a gradient with the local term",
    ours: () => local(weights),
    peers: { "without a regulariser": () => vanilla(weights), "with the global one": () => global(weights) },
    repetitions: 7,
  });
}
