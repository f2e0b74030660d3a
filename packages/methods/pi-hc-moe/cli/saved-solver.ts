import { loadDescribed, saveDescribed } from "@offprint/nn";
import { requireObject } from "@offprint/tensor-core";
import { checkConstraint } from "../src/constraint-options.js";
import { type FourierBasisOptions, type FourierBasisParams, fourierBasis } from "../src/index.js";
import { type EquationDescription, equationOf } from "./equations.js";

const FORMAT = "offprint pi-hc-moe 1";

/** What the header of a solver's file says. */
export interface SolverDescription {
  /** What it solves, and on which grid. */
  readonly equation: EquationDescription;
  /** Its network. */
  readonly network: FourierBasisOptions;
  /** How it was trained to combine functions. */
  readonly solving: { readonly experts: readonly number[]; readonly ridge: number };
}

/** The bytes of a file with a trained solver. */
export function saveSolver(description: SolverDescription, params: FourierBasisParams): Uint8Array {
  return saveDescribed(FORMAT, description, params);
}

/** Reads what {@link saveSolver} wrote. @throws FormatError for other files, and damaged ones. */
export function loadSolver(bytes: Uint8Array) {
  const { description, model, params } = loadDescribed(bytes, FORMAT, (said: SolverDescription) => {
    const equation = equationOf(said.equation);
    requireObject("solver", "solving", said.solving, "{ experts, ridge }");
    checkConstraint("solving", equation, said.solving);
    return fourierBasis(said.network);
  });
  return { description, network: model, params };
}
