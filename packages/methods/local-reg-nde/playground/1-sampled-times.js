// Where a random local step falls
// Biased times are drawn among the solver's own steps, so that hard parts of the motion are looked at more often;
// unbiased ones evenly. The curve is the local term along a spring that stiffens in the middle; marks are draws.
import { drawStep, localTerm } from "@offprint/local-reg-nde";
import { integrate } from "@offprint/ode";
import { add, exp, mul, neg, random, square, stack, sub, tensor } from "@offprint/tensor-core";

const motion = (t, y) => {
  const stiffness = add(1, mul(exp(mul(square(sub(t, 3)), -4)), 60));
  return stack([y.slice([1]), neg(mul(y.slice([0]), stiffness))]);
};
const span = [0, 6];
const tolerances = { relativeTolerance: 1e-6, absoluteTolerance: 1e-6 };
const solved = integrate(motion, tensor([1, 0], { dtype: "float64" }), span, { ...tolerances, dense: true });

const rng = random.rng(0);
const drawn = (mode) =>
  Array.from({ length: 40 }, () => {
    const { t1, h } = drawStep(motion, solved, span, rng.uniform([], { dtype: "float64" }), { mode });
    return [t1.item(), localTerm(motion, solved.at(t1), t1, h).item()];
  });
const curve = (name, mode) => {
  const points = drawn(mode);
  return { name, x: points.map(([t]) => t), y: points.map(([, r]) => r), style: "points" };
};
display({
  kind: "line",
  title: "Local terms at drawn times",
  x: { label: "time" },
  y: { label: "E h", scale: "log" },
  curves: [curve("unbiased", "unbiased"), curve("biased", "biased")],
});
console.log(`${solved.steps.item()} steps`);
