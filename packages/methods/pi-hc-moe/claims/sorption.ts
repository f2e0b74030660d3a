import { type Claim, figure } from "@offprint/claims";
import { concatenate, expandDims, type Tensor, tensor } from "@offprint/tensor-core";
import { diffusionSorption, solveDiffusionSorption } from "../src/index.js";
import { type Method, published } from "./method.js";

/** Diffusion and sorption in physical units, with the reference among the functions. */
export function sorption(method: Method = published): Claim {
  return {
    id: "diffusion-sorption",
    statement:
      "On diffusion-sorption the constraint picks the solution out of a basis, alike with one expert and with four",
    source: "Section 4.1",
    paper: "the 1-D experiment",
    async run() {
      const [times, points] = [33, 64];
      const pde = diffusionSorption({ times, points });
      const initial = tensor([0.15, 0.05], { dtype: "float64" });
      const reference = solveDiffusionSorption(initial, { times, points });
      const t = (i: number) => (500 * i) / (times - 1);
      const made = (f: (t: number, x: number) => number): Tensor =>
        tensor(
          Float64Array.from({ length: 2 * times * points }, (_, at) => {
            const [i, j] = [Math.floor(at / points) % times, at % points];
            return f(t(i), (j + 0.5) / points);
          }),
        ).reshape([2, times, points]);
      const functions = [
        reference,
        made((_, x) => Math.sin(3 * x)),
        made((s, x) => (s / 500) * Math.cos(2 * x)),
        made((s, x) => (s / 500) ** 2 * Math.exp(-x)),
      ];
      const basis = concatenate(
        functions.map((f) => expandDims(f, -1)),
        -1,
      );
      const solve = async (experts: number[]) => {
        const { u, weights } = await method.solveConstraint(basis, pde, { initial }, { experts });
        const error = u
          .sub(reference)
          .square()
          .sum([1, 2])
          .sqrt()
          .div(reference.square().sum([1, 2]).sqrt());
        return { errors: error.data(), first: weights.data()[0] };
      };
      const [one, four] = [await solve([1, 1]), await solve([1, 4])];
      const worst = Math.max(...one.errors, ...four.errors);
      const apart = Math.max(...Array.from(one.errors, (e, i) => Math.abs(e - four.errors[i])));
      const fine = solveDiffusionSorption(initial, { times, points: 256 });
      const coarse = fine.reshape([2, times, points, 4]).mean(3);
      const late = (x: Tensor) => x.slice([null, { start: 4 }]);
      const grids =
        late(reference).sub(late(coarse)).square().sum().sqrt().item() / late(coarse).square().sum().sqrt().item();
      return {
        measured: { "largest relative error": worst, "1 against 4 experts": apart, "64 against 256 cells": grids },
        holds: worst < 0.05 && apart < 2e-3,
        detail:
          `33 x 64 points, the reference and three other functions, begun at ones: relative errors below 0.05 (${figure(worst)}; the boundary row is off by a ` +
          `half cell) and of 1 and 4 experts within 2e-3 of each other (${figure(apart)}); first weight ${figure(one.first)}, reference on 64 against 256 cells ${figure(grids)}`,
      };
    },
  };
}
