// Experts for parts of a wave
// A wave of Burgers' equation steepens. A random network gives four functions; each expert combines them in its part of the line so that the equation is met as well as it can be there, by least squares. One expert for all has four numbers to say everything; four experts have sixteen. Change the number of experts, of functions, or the viscosity.

import { burgers, fourierBasis, solveBurgers, solveConstraint } from "@offprint/pi-hc-moe";
import { random, tensor } from "@offprint/tensor-core";

const [points, experts, functions] = [64, 4, 4];
const wave = (m) =>
  tensor(
    Float64Array.from(
      { length: m },
      (_, i) => 0.6 * Math.sin((2 * Math.PI * i) / m) + 0.3 * Math.cos((4 * Math.PI * i) / m),
    ),
  );
const equation = burgers({ points, length: 2 });
const reference = await solveBurgers(wave(256).reshape([1, 256]), { points, length: 2, stepsBetween: 24 });
const problem = { initial: wave(points).reshape([1, points]) };

const network = fourierBasis({ inputs: 4, basis: functions, width: 16, layers: 2, modes: [4, 4], hidden: 16 });
const basis = network.apply(network.init(random.rng(3), "float64"), equation.input(problem));

const x = Array.from({ length: points }, (_, i) => (2 * i) / points);
const last = (u) => u.slice([0, 15]).data();
const curves = [{ name: "solution at the end", x, y: last(reference) }];
for (const count of [1, experts]) {
  const { u, iterations } = await solveConstraint(basis, equation, problem, { experts: [1, count], ridge: 0.1 });
  const error = u.sub(reference).square().sum().sqrt().item() / reference.square().sum().sqrt().item();
  console.log(`${count} expert${count > 1 ? "s" : ""}: relative error ${error.toFixed(3)}, ${iterations} iterations`);
  curves.push({ name: `${count} expert${count > 1 ? "s" : ""}`, x, y: last(u) });
}
display(
  {
    kind: "line",
    title: `${functions} functions of an untrained network`,
    x: { label: "x" },
    y: { label: "u at the end" },
    curves: [...curves, { name: "at the start", x, y: problem.initial.data() }],
  },
  "picture",
);
