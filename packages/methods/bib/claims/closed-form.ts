import { type Claim, figure } from "@offprint/claims";
import {
  add,
  eye,
  grad,
  linalg,
  matmul,
  matrixTrace,
  mul,
  type Rng,
  square,
  sub,
  sum,
  type Tensor,
  take,
  tensor,
  transpose,
} from "@offprint/tensor-core";
import { bib, type Method } from "./method.js";

const float64 = { dtype: "float64" } as const;
const RIDGE = 1e-3;
const TARGET = 10;

/** Both losses, written out with the systems of the paper. */
function writtenOut(phi: Tensor, y: Tensor, design: Tensor): { forward: number; backward: number } {
  const n = y.size;
  const kernel = matmul(phi, transpose(phi));
  const beta = mul(matrixTrace(kernel), RIDGE / n);
  const alpha = linalg.solve(add(kernel, mul(eye(n, n, "float64"), beta)), y);
  const cross = matmul(phi, design);
  const own = sum(square(design)).item() * (1 + 1e-6);
  return {
    forward: (sum(mul(cross, alpha)).item() - TARGET) ** 2,
    backward: sum(square(sub(mul(cross, TARGET / own), y))).item() / n,
  };
}

/** How far a gradient is from central differences, relative to its size. */
function differenceError(f: (x: Tensor) => Tensor, x: Tensor): number {
  const slope = grad(f)(x).data();
  const values = Float64Array.from(x.data());
  let [apart, size] = [0, 1];
  for (let i = 0; i < values.length; i++) {
    const at = (step: number) => f(tensor(values.map((v, k) => (k === i ? v + step : v)))).item();
    apart = Math.max(apart, Math.abs((at(1e-5) - at(-1e-5)) / 2e-5 - slope[i]));
    size = Math.max(size, Math.abs(slope[i]));
  }
  return apart / size;
}

/** Both losses and their gradients are those of the closed forms. */
export function closedForm(method: Method = bib): Claim {
  return {
    id: "closed-form",
    statement: "Both losses have closed forms: by kernels or by features, the values and gradients are the same",
    source: "Equations 9 to 14",
    paper: "closed form",
    async run({ rng, scale, onProgress }) {
      const draws = scale === "full" ? 20 : 4;
      let [losses, slopes] = [0, 0];
      for (const [i, part] of rng.split(draws).entries()) {
        const d = i % 2 === 0 ? 5 : 17;
        const [phi, y, design] = drawn(part, d);
        const map = method.fitForward(phi, y, { ridge: RIDGE });
        const own = (x: Tensor) => method.bidirectionalLoss(x.reshape([1, d]), map, { target: TARGET });
        const { forward, backward } = own(design);
        const expected = writtenOut(phi, y, design);
        losses = Math.max(
          losses,
          Math.abs(forward.item() / expected.forward - 1),
          Math.abs(backward.item() / expected.backward - 1),
        );
        for (const name of ["forward", "backward"] as const) {
          slopes = Math.max(
            slopes,
            differenceError((x) => sum(own(x)[name]), design),
          );
        }
        await onProgress((i + 1) / draws);
      }
      const copied = copyError(method);
      return {
        measured: { "largest error of a loss": losses, "of a gradient": slopes, "of the copied row": copied },
        holds: losses <= 1e-8 && slopes <= 1e-6 && copied <= 1e-5,
        detail:
          `Over ${draws} draws, with more rows than features and with fewer, losses must be those of the kernels' systems to 1e-8 (${figure(losses)}) and gradients those of ` +
          `finite differences to 1e-6 (${figure(slopes)}). A design that is a row of orthogonal features predicts the target there and 0 elsewhere, to 1e-5 (${figure(copied)}).`,
      };
    },
  };
}

function drawn(rng: Rng, d: number): [phi: Tensor, y: Tensor, design: Tensor] {
  const [a, b, c] = rng.split(3);
  return [a.normal([11, d], float64), b.normal([11], float64), c.normal([d], float64)];
}

/** The relative error of `mean((prediction - y)^2)` where the prediction is the target at row 1 and 0 at the others. */
function copyError(method: Method): number {
  const phi = eye(4, 4, "float64");
  const y = tensor([1, -2, 0.5, 0.3], float64);
  const map = method.fitForward(phi, y);
  const { backward } = method.bidirectionalLoss(take(phi, [1]), map, { target: TARGET });
  const expected = (1 + (TARGET + 2) ** 2 + 0.25 + 0.09) / 4;
  return Math.abs(backward.item() / expected - 1);
}
