import { compare, python } from "@offprint/bench";
import { dcdm, deflatedConjugateGradients, directionsBy, macGrid, poissonMatrix, shippedNetwork } from "@offprint/dcdm";
import { conjugateGradientsSync, geometricMultigrid, incompleteCholesky } from "@offprint/solvers";
import { random } from "@offprint/tensor-core";

/* How long does a pressure system take, against SciPy and the usual methods? */

const scipy = python(new URL("scipy_peers.py", import.meta.url));

/** Runs the comparison. */
export async function run(): Promise<void> {
  const { network, params } = await shippedNetwork();
  for (const size of [32, 64, 128]) {
    const a = poissonMatrix(macGrid([size, size]));
    const b = random
      .rng(size)
      .normal([size * size], { dtype: "float64" })
      .data() as Float64Array;
    const map = directionsBy(network, params, [size, size]);
    const tolerance = 1e-4;
    const { iterations } = await dcdm(a, b, map, { tolerance, onStagnation: "residual" });
    const factor = incompleteCholesky(a);
    const grids = geometricMultigrid(a, { grid: [size, size] });
    await compare({
      name: `${size} x ${size}, ${iterations} iterations to 1e-4`,
      ours: () => dcdm(a, b, map, { tolerance, onStagnation: "residual" }),
      peers: {
        "scipy cg": scipy.peer("cg", { size, b: [...b], tolerance }),
        "ours, cg": () => conjugateGradientsSync(a, b, { tolerance }),
        "ours, deflated cg": () => deflatedConjugateGradients(a, b, { tolerance }),
        "ours, ic cg": () => conjugateGradientsSync(a, b, { tolerance, preconditioner: factor.apply }),
        "ours, multigrid cg": () => conjugateGradientsSync(a, b, { tolerance, preconditioner: grids.apply }),
      },
      repetitions: 5,
    });
  }
}
