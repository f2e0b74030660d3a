// A policy on the grid, from logs alone
// A swamp was only ever entered in the logs, never left. Values are learnt by the semi-gradient or by the orthogonal one; the path
// takes the move of the largest residual in every cell. Change `type`, `eta`, or draw another swamp.
import { valueGradients } from "@offprint/odice";
import { add, jit, mul, sub, take, tensor, zeros } from "@offprint/tensor-core";

const [width, height, goal, eta, steps] = [7, 5, 6, 0.5, 4000];
const swamp = [3, 10, 17, 24]; // cells, counted from the lower left: x + 7 y
const moves = [
  [1, 0],
  [-1, 0],
  [0, 1],
  [0, -1],
];
const clamp = (v, most) => Math.min(most, Math.max(0, v));
const logged = Array.from({ length: width * height }, (_, from) => from)
  .filter((from) => from !== goal && !swamp.includes(from))
  .flatMap((from) =>
    moves.map(([dx, dy]) => ({
      from,
      to: clamp((from % width) + dx, width - 1) + width * clamp(Math.floor(from / width) + dy, height - 1),
    })),
  );
const column = (of) => tensor(Float64Array.from(logged, of));
const batch = {
  observations: tensor(Int32Array.from(logged, ({ from }) => from)),
  nextObservations: tensor(Int32Array.from(logged, ({ to }) => to)),
  actions: zeros([logged.length, 1]),
  rewards: column(({ to }) => (to === goal ? 0 : -4)),
  terminals: column(({ to }) => (to === goal ? 1 : 0)),
};

async function learn(type) {
  const settings = { type, divergence: "pearson", lambda: 0.5, eta, discount: 0.95 };
  const gradients = (value, target) =>
    valueGradients((table, cells) => take(table, cells), value, target, batch, settings);
  const step = jit((value, target) => {
    const next = sub(value, mul(gradients(value, target).total, 20));
    return {
      value: next,
      target: add(mul(target, 0.95), mul(next, 0.05)),
      residual: gradients(next, target).forwardResidual,
    };
  });
  let state = { value: zeros([width * height], "float64"), target: zeros([width * height], "float64") };
  for (let k = 0; k < steps; k++) state = await step(state.value, state.target);
  const residual = state.residual.data();
  const path = [0];
  while (path.at(-1) !== goal && !swamp.includes(path.at(-1)) && path.length < 40) {
    const choices = logged.map((move, i) => ({ ...move, i })).filter(({ from }) => from === path.at(-1));
    path.push(choices.reduce((best, move) => (residual[move.i] > residual[best.i] ? move : best)).to);
  }
  return { values: Array.from(state.value.data()), path };
}

const tile = (label, { values, path }) => ({
  label,
  width: width * 8,
  height: height * 8,
  channels: 3,
  pixels: Float64Array.from({ length: width * height * 192 }, (_, i) => {
    const [at, channel] = [Math.floor(i / 3), i % 3];
    const [px, py] = [at % (width * 8), Math.floor(at / (width * 8))];
    const cell = Math.floor(px / 8) + width * (height - 1 - Math.floor(py / 8));
    const inner = Math.abs((px % 8) - 3.5) < 2 && Math.abs((py % 8) - 3.5) < 2;
    if (inner && path.includes(cell)) return [1, 0.55, 0.1][channel];
    if (inner && cell === goal) return [0.1, 0.7, 0.3][channel];
    const light = Math.min(1, Math.max(0, 1 + values[cell] / 80));
    return light * (swamp.includes(cell) ? [0.55, 0.6, 0.85] : [1, 1, 1])[channel];
  }),
});
const [semi, orthogonal] = [await learn("semi"), await learn("orthogonal")];
display({
  kind: "images",
  title: "Values (dark is low) and the path, swamp in blue",
  images: [tile("semi-gradient", semi), tile("orthogonal gradient", orthogonal)],
  columns: 2,
});
console.log("moves to the goal or into the swamp:", semi.path.length - 1, "and", orthogonal.path.length - 1);
