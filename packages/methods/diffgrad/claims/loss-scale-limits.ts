import { type Claim, figure } from "@offprint/claims";
import { adam, type GradientTransformation, minimize } from "@offprint/optim";
import { hostBackend, matmul, mul, sub, sum, type Tensor, tensor } from "@offprint/tensor-core";
import { type Method, published } from "./method.js";

const setting = { learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 0 };
const STEPS = 50;

/** The end points for the scales 1e6, 1 and 1e-8 of the loss, which are rows of one run. */
async function endPoints(optimizer: GradientTransformation): Promise<readonly (readonly number[])[]> {
  const a = tensor(
    [
      [2, 0.5],
      [0.5, 1],
    ],
    { dtype: "float64" },
  );
  const b = tensor([1, -1], { dtype: "float64" });
  const scales = tensor([[1e6], [1], [1e-8]], { dtype: "float64" });
  const loss = (x: Tensor) => sum(mul(mul(x, sub(mul(matmul(x, a), 0.5), b)), scales));
  const start = tensor(new Array(3).fill([3, -2]), { dtype: "float64" });
  const { params } = await minimize(loss, start, optimizer, { steps: STEPS, backend: hostBackend });
  return params.toArray() as number[][];
}

function distance(x: readonly number[], y: readonly number[]): number {
  return Math.max(...x.map((v, i) => Math.abs(v - y[i])));
}

/**
 * The friction coefficient sees the size of gradients: it is exact that a loss scaled up makes diffGrad Adam, and one
 * scaled down makes it Adam with half the step.
 */
export function lossScaleLimits(method: Method = published): Claim {
  return {
    id: "loss-scale-limits",
    statement: "For c f with c large diffGrad is Adam, with c small Adam with half the step, and between neither",
    source: "Section III, from the range [1/2, 1) of equation 7",
    paper: { "c = 1e6, distance to Adam": 0, "c = 1e-8, distance to half Adam": 0 },
    async run() {
      const runs = {
        own: await endPoints(method(setting)),
        whole: await endPoints(adam(setting)),
        half: await endPoints(adam({ ...setting, learningRate: setting.learningRate / 2 })),
      };
      const [large, one, small] = [0, 1, 2].map((i) => ({
        own: runs.own[i],
        whole: runs.whole[i],
        half: runs.half[i],
      }));
      const atLarge = distance(large.own, large.whole);
      const atSmall = distance(small.own, small.half);
      const atOne = Math.min(distance(one.own, one.whole), distance(one.own, one.half));
      const row = (c: string, { own, whole, half: halved }: typeof large) => {
        return [c, own[0], own[1], distance(own, whole), distance(own, halved)];
      };
      return {
        measured: { "c = 1e6, distance to Adam": atLarge, "c = 1e-8, distance to half Adam": atSmall },
        holds: atLarge < 1e-9 && atSmall < 1e-6 && atOne > 0.05,
        detail:
          `After ${STEPS} updates on a quadratic: at c = 1e6 within 1e-9 of Adam (${figure(atLarge)}), at c = 1e-8 within ` +
          `1e-6 of Adam with half the step (${figure(atSmall)}), at c = 1 more than 0.05 from both (${figure(atOne)}).`,
        tables: [
          {
            title: `End points after ${STEPS} updates`,
            columns: ["c", "x1", "x2", "distance to Adam", "distance to half Adam"],
            rows: [row("1e6", large), row("1", one), row("1e-8", small)],
          },
        ],
      };
    },
  };
}
