import { type Claim, figure } from "@offprint/claims";
import {
  type Complex,
  dealias,
  gaussianRandomField,
  helmholtzInverse,
  navierStokes,
  type SchemeName,
  streamFunction,
  toField,
  torus,
  toSpectrum,
} from "@offprint/spectral";
import { jitSync, random, scan, type Tensor } from "@offprint/tensor-core";
import { taylorGreen } from "../src/index.js";
import { type Method, spectralRefiner } from "./method.js";

const distance = (a: Tensor, b: Tensor) => a.sub(b).square().mean().sqrt().item();

/** The data generator is right: exact vortices, orders, and what convection conserves. */
export function solver(method: Method = spectralRefiner): Claim {
  return {
    id: "solver",
    statement:
      "The solver that makes the data damps vortices exactly, has its order, and conserves energy and enstrophy",
    source: "Section 2, Appendix",
    paper: "orders 1 and 2",
    async run({ seed }) {
      const grid = torus({ points: [16, 16] });
      const nu = 0.02;
      const system = navierStokes(grid, { viscosity: nu });
      // Thin enough for the error to be that of convection, which the schemes differ in.
      const thin = navierStokes(grid, { viscosity: 1e-3 });
      const run = (w: Tensor, name: SchemeName, dt: number, steps: number, system = thin): Tensor => {
        const all = jitSync(
          (x: Complex) =>
            scan((s: Complex, _: null): [Complex, null] => [method.schemes[name].step(system, s, dt), null], x, null, {
              length: steps,
            })[0],
        );
        return toField(grid, all(toSpectrum(grid, w)));
      };
      const vortex = taylorGreen(grid, 0, nu);
      const q = nu * (2 * Math.PI) ** 2 * 0.05;
      const damped = vortex.mul(((1 - q) / (1 + q)) ** 5);
      const damping = Math.max(
        ...(["imex1", "imex2"] as const).map(
          (name) => distance(run(vortex, name, 0.05, 5, system), damped) / (4 * Math.PI),
        ),
      );
      const w = dealias(grid, gaussianRandomField(grid, random.rng(`solver/${seed}`)));
      const fine = run(w, "rk4", 0.32 / 256, 256);
      const orders = (["imex1", "imex2"] as const).map((name) => {
        const [dt, steps] = name === "imex1" ? [0.01, 32] : [0.04, 8];
        const errors = [1, 2].map((half) => distance(run(w, name, dt / half, steps * half), fine));
        return Math.log2(errors[0] / errors[1]);
      });
      const convection = toField(grid, system.convection(toSpectrum(grid, w)));
      const size = Math.sqrt(w.square().mean().item() * convection.square().mean().item());
      const leak = Math.max(
        ...[w, streamFunction(grid, w)].map((each) => Math.abs(each.mul(convection).mean().item()) / size),
      );
      const inOrder = Math.abs(orders[0] - 1) <= Math.log2(1.15) && Math.abs(orders[1] - 2) <= Math.log2(1.15);
      return {
        measured: orders[1],
        holds: damping <= 1e-12 && leak <= 1e-12 && inOrder,
        detail: `Taylor-Green vortices must be multiplied by (1 - q) / (1 + q) to 1e-12 (${figure(damping)}), errors must fall with order 1 and 2 within 15 % (${orders.map((o) => figure(o)).join(" and ")}), convection must leave energy and enstrophy alone to 1e-12 (${figure(leak)}).`,
      };
    },
  };
}

/** The norm by Parseval is the dual norm. */
export function norm(method: Method = spectralRefiner): Claim {
  return {
    id: "negative-norm",
    statement: "The norm of order -1, computed by Parseval's identity, is the dual norm that the theory is about",
    source: "Equation 15",
    paper: "equal",
    async run({ seed }) {
      const grid = torus({ points: [16, 16] });
      const shift = 10 ** -1.5;
      const r = random.rng(`norm/${seed}`).normal([4, 16, 16], { dtype: "float64" });
      const dual = r
        .mul(helmholtzInverse(grid, r, shift))
        .mean([1, 2])
        .sqrt();
      const byParseval = method.sobolevNorm(grid, r, { order: -1, shift });
      const plain = method.sobolevNorm(grid, r, { order: 0, shift });
      const difference = byParseval.sub(dual).div(dual).abs().max().item();
      const mean = plain
        .div(r.square().mean([1, 2]).sqrt())
        .sub(1)
        .abs()
        .max()
        .item();
      return {
        measured: difference,
        holds: difference <= 1e-12 && mean <= 1e-12,
        detail: `It must agree with the root of <R, phi>, (a - Laplacian) phi = R, to 1e-12 (${figure(difference)}), and order 0 with the root mean square (${figure(mean)}).`,
      };
    },
  };
}
