import { type Claim, figure } from "@offprint/claims";
import { add, jit, mul, scan, sub, type Tensor, take, tensor, zeros } from "@offprint/tensor-core";
import { policyWeight, type ValueUpdate } from "../src/index.js";
import { type Method, odice } from "./method.js";

const [width, height] = [7, 5];
const goal = 6;
const moves = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
];
const cell = (x: number, y: number): number => y * width + x;
const swamp = [0, 1, 2, 3].map((y) => cell(3, y));

interface Move {
  readonly from: number;
  readonly to: number;
}

/** Every move from every cell but those of the swamp and the goal. */
const logged: readonly Move[] = Array.from({ length: width * height }, (_, from) => from)
  .filter((from) => from !== goal && !swamp.includes(from))
  .flatMap((from) =>
    moves.map(([dx, dy]) => {
      const [x, y] = [(from % width) + dx, Math.floor(from / width) + dy];
      return { from, to: cell(Math.min(width - 1, Math.max(0, x)), Math.min(height - 1, Math.max(0, y))) };
    }),
  );

interface Outcome {
  /** Share of the policy's weight that enters the swamp. */
  readonly share: number;
  /** Moves of the best weights from the start on. */
  readonly path: readonly number[];
  /** Largest value of a swamp cell. */
  readonly swampValue: number;
  /** Values of all cells. */
  readonly values: readonly number[];
}

async function learnt(method: Method, type: ValueUpdate): Promise<Outcome> {
  const batch = {
    observations: tensor(Int32Array.from(logged, ({ from }) => from)),
    nextObservations: tensor(Int32Array.from(logged, ({ to }) => to)),
    rewards: tensor(Float64Array.from(logged, ({ to }) => (to === goal ? 0 : -4))),
    terminals: tensor(Float64Array.from(logged, ({ to }) => (to === goal ? 1 : 0))),
    actions: zeros([logged.length, 1]),
  };
  const settings = { type, divergence: "pearson", lambda: 0.5, eta: 0.5, discount: 0.95 } as const;
  interface Table {
    readonly value: Tensor;
    readonly target: Tensor;
  }
  const gradients = ({ value, target }: Table) =>
    method.gradients((p: Tensor, s: Tensor) => take(p, s), value, target, batch, settings);
  const steps = 20_000;
  const sizes = tensor(Float64Array.from({ length: steps }, (_, k) => (k < 0.8 * steps ? 20 : 2)));
  const run = jit((start: Table, all: Tensor) => {
    const [last] = scan(
      (table: Table, size: Tensor): [Table, Tensor] => {
        const value = sub(table.value, mul(gradients(table).total, size));
        return [{ value, target: add(mul(table.target, 0.95), mul(value, 0.05)) }, size];
      },
      start,
      all,
    );
    return { value: last.value, residual: gradients(last).forwardResidual };
  });
  const none = zeros([width * height], "float64");
  const { value, residual } = await run({ value: none, target: none }, sizes);
  const weights = Float64Array.from(policyWeight(residual).data());
  const total = weights.reduce((a, b) => a + b, 0);
  const lost = logged.reduce((sum, { to }, i) => sum + (swamp.includes(to) ? weights[i] : 0), 0);
  const residuals = residual.data();
  const path = [0];
  for (let at = 0; at !== goal && !swamp.includes(at) && path.length < 100; ) {
    const choices = logged.map((move, i) => ({ ...move, i })).filter(({ from }) => from === at);
    at = choices.reduce((best, move) => (residuals[move.i] > residuals[best.i] ? move : best)).to;
    path.push(at);
  }
  const values = Array.from(value.data());
  return { share: lost / total, path, swampValue: Math.max(...swamp.map((s) => values[s])), values };
}

/** What is never left in the data must not be entered. */
export function stateConstraint(method: Method = odice): Claim {
  return {
    id: "state-constraint",
    statement:
      "States that the data never leave lose their value through the backward gradient; with the semi-gradient they keep it, and the policy goes there",
    source: "Section 4, Theorem 2",
    paper: "state-action-level constraint",
    async run() {
      const [orthogonal, semi, exact] = [
        await learnt(method, "orthogonal"),
        await learnt(method, "semi"),
        await learnt(method, "true"),
      ];
      const arrives = ({ path }: Outcome) => path.at(-1) === goal && path.length === 15;
      const sinks = ({ path }: Outcome) => swamp.includes(path.at(-1) as number);
      return {
        measured: orthogonal.share,
        holds:
          orthogonal.share < 1e-6 &&
          exact.share < 1e-6 &&
          semi.share > 0.25 &&
          arrives(orthogonal) &&
          arrives(exact) &&
          sinks(semi) &&
          semi.swampValue === 0 &&
          orthogonal.swampValue < -20,
        detail: `Around a swamp that the data only ever enter, the orthogonal and the true gradient must give next to no weight to entering it (below 1e-6: ${figure(orthogonal.share)} and ${figure(exact.share)}) and reach the goal in 14 moves (${orthogonal.path.length - 1} and ${exact.path.length - 1}), as V falls there (to ${figure(orthogonal.swampValue)} at most); the semi-gradient must give it more than a quarter (${figure(semi.share)}), leave V at 0 there (${figure(semi.swampValue)}), and end in the swamp (after ${semi.path.length - 1} moves).`,
        series: [orthogonal, semi].map(({ values }, i) => ({
          kind: "heat-map" as const,
          title: `Values by the ${i === 0 ? "orthogonal " : "semi-"}gradient`,
          x: { label: "x" },
          y: { label: "y" },
          value: { label: "V" },
          // The first row is on top.
          values: Array.from({ length: height }, (_, r) =>
            values.slice((height - 1 - r) * width, (height - r) * width),
          ),
        })),
      };
    },
  };
}
