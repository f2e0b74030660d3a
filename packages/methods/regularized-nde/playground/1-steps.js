// Steps of a solver along a phase portrait
// A spring with friction. Every mark is a step of Tsit5: they are short where the motion is fast or the spring
// is stiff. Raise `spring` or tighten `tolerance`, and see what the regularisers say: mean E h, and mean S / s.
import { integrate, makeSolver } from "@offprint/ode";
import { errorRegularizer, stiffnessRegularizer } from "@offprint/regularized-nde";
import { add, mul, neg, stack, tensor } from "@offprint/tensor-core";

const [spring, friction, tolerance] = [4, 0.4, 1e-4];

const motion = (_t, y) => {
  const [x, v] = [y.slice([0]), y.slice([1])];
  return stack([v, neg(add(mul(x, spring), mul(v, friction)))]);
};
const start = tensor([1, 0], { dtype: "float64" });
const options = { relativeTolerance: tolerance, absoluteTolerance: tolerance };

const { y, t, at } = makeSolver(motion).solveSync(start, [0, 8], options);
const steps = y.toArray();
const fine = Array.from({ length: 400 }, (_, i) => at((8 * i) / 399).toArray());
display({
  kind: "line",
  title: `${t.length - 1} steps`,
  x: { label: "position" },
  y: { label: "speed" },
  curves: [
    { name: "motion", x: fine.map(([x]) => x), y: fine.map(([, v]) => v) },
    { name: "steps", x: steps.map(([x]) => x), y: steps.map(([, v]) => v), style: "points" },
  ],
});

const solved = integrate(motion, start, [0, 8], options);
console.log("mean E h", errorRegularizer(solved).item(), "mean S / s", stiffnessRegularizer(solved).item());
