// How large a network a nonlinear equation needs
// u - Laplacian u + u^3 = f, with the same four cosines on the right in more and more dimensions. Change `accuracy` or `amplitude`:
// the neurons that suffice hardly depend on the dimension, while a grid would need exponentially many points.
import { certify, gridUnknownsLog10, quarticLagrangian, SparseFourier } from "@offprint/barron-pde";

const [accuracy, amplitude] = [0.06, 8];
const equation = quarticLagrangian({ beta: 1 });

const rightSide = (d) =>
  SparseFourier.cosines(
    [6, 5, 4, 3].map((a, j) => {
      const k = new Array(d).fill(0);
      k[j % d] += d < 4 ? 1 + Math.floor(j / d) : 1;
      if (d > 1) k[(2 * j + 1) % d] += 1;
      return { k, a: amplitude * a };
    }),
  );

const dimensions = [1, 2, 4, 8, 16];
const neurons = [];
const unknowns = [];
for (const d of dimensions) {
  const { width, u, barron, sampled } = await certify(equation, rightSide(d), { accuracy, pruneTolerance: 1e-6 });
  const highest = u.realForm().k.reduce((most, k) => Math.max(most, Math.abs(k)), 0);
  neurons.push(width);
  unknowns.push(10 ** gridUnknownsLog10(d, highest));
  console.log(`d = ${d}: Barron norm ${barron.toFixed(1)}, ${width} neurons, error ${sampled.error.toFixed(4)}`);
}

display({
  kind: "line",
  title: `Size of a solution to within ${accuracy}`,
  x: { label: "dimension", scale: "log" },
  y: { label: "unknowns", scale: "log" },
  curves: [
    { name: "neurons of a cosine network", x: dimensions, y: neurons, style: "line-points" },
    { name: "points of a grid", x: dimensions, y: unknowns, style: "line-points" },
  ],
});
