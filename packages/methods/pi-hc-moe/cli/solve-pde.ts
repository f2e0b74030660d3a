import { defineCommand, Failure, option } from "@offprint/commands";
import { readNpy, writeNpy } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { all, isFinite as finite, greater, requireFinite, type Tensor, tensor } from "@offprint/tensor-core";
import { solveConstraint } from "../src/index.js";
import { relativeErrors, residualNorms } from "../src/learned-solution.js";
import {
  describeEquation,
  type EquationDescription,
  equationOf,
  equationOptions,
  expertOptions,
  kindOf,
  readInitial,
} from "./equations.js";
import { loadSolver } from "./saved-solver.js";

/** `offprint solve-pde initial.npy --solver solver.safetensors --output solution.npy` */
export const solvePde = defineCommand({
  name: "solve-pde",
  summary: "Solve an equation for initial conditions by a trained solver, or in basis functions of your own network",
  arguments: {
    initial: option.fileIn("initial conditions (.npy), as train-pde-solver takes them", {
      required: true,
      endings: [".npy"],
    }),
  },
  options: {
    solver: option.fileIn("file that train-pde-solver wrote; it knows the equation"),
    basis: option.fileIn("or functions of your own network, [count, times, ...points, functions] (.npy)", {
      endings: [".npy"],
    }),
    ...equationOptions,
    ...expertOptions,
    maxIterations: option.integer("of Levenberg and Marquardt at most", { default: 100, least: 1 }),
    tolerance: option.number(
      "largest entry of an expert's gradient, as a part of the problem's size, at which it has converged",
      {
        default: 1e-8,
        above: 0,
      },
    ),
    reference: option.fileIn("known solutions to compare with, of the output's shape (.npy)", { endings: [".npy"] }),
    output: option.fileOut("file for the solutions, [count, times, ...points] (.npy)", {
      short: "o",
      endings: [".npy"],
    }),
  },
  async run({ options, arguments: words, report, write, progress, signal }) {
    const { maxIterations, tolerance } = options;
    if ((options.solver === undefined) === (options.basis === undefined)) {
      throw new Failure("give either --solver, a trained one, or --basis, functions of your own");
    }
    const { said, initial, basis, experts, ridge } =
      options.solver === undefined ? await ownBasis(options.basis!) : await trained(options.solver);
    const pde = equationOf(said);
    const solved = await solveConstraint(
      basis,
      pde,
      { initial },
      {
        ...{ experts: options.experts ?? experts, ridge: options.ridge ?? ridge, maxIterations, tolerance },
        ...{ signal, onProgress: ({ iteration }) => progress(iteration / maxIterations, "experts") },
      },
    );
    const residuals = residualNorms(pde, solved.fields);
    const errors = options.reference === undefined ? undefined : await compared(options.reference, solved.u);
    report([
      ["initial conditions", initial.shape[0]],
      ["experts that converged", `${solved.converged.filter(Boolean).length} of ${solved.converged.length}`],
      ["iterations of the slowest", solved.iterations],
      ["norm of the residual, mean", residuals.mean().item().toPrecision(3)],
      ["largest", residuals.max().item().toPrecision(3)],
      ...(errors === undefined ? [] : [["relative error, mean", errors.mean().item().toPrecision(3)] as const]),
    ]);
    await write(options.output, writeNpy(solved.u));

    async function trained(path: string) {
      const given = Object.keys(equationOptions).find((name) => options[name as keyof typeof options] !== undefined);
      if (given !== undefined) throw new Failure(`--${given} is what ${path} knows; leave it out`);
      const { description, network, params } = await loadFile(path, loadSolver);
      const said: EquationDescription = description.equation;
      const initial = await readInitial(words.initial, said.equation);
      const pde = equationOf(said);
      const points = initial.shape[1];
      if (points !== undefined && points !== pde.grid[1]) {
        throw new Failure(`${words.initial}: ${points} points along an axis; ${path} was trained on ${pde.grid[1]}`);
      }
      return { said, initial, basis: network.apply(params, pde.input({ initial })), ...description.solving };
    }

    async function ownBasis(path: string) {
      const equation = options.equation;
      if (equation === undefined) throw new Failure("--basis says nothing of the equation; give --equation");
      const initial = await readInitial(words.initial, equation);
      const said = describeEquation(options, equation, initial);
      const basis = tensor(await loadFile(path, readNpy), { dtype: "float64" });
      if (!all(finite(basis)).item()) throw new Failure(`${path}: a value is not finite`);
      const { experts, ridge } = kindOf(equation);
      return { said, initial, basis, experts, ridge };
    }

    async function compared(path: string, u: Tensor): Promise<Tensor> {
      const reference = tensor(await loadFile(path, readNpy), { dtype: "float64" });
      if (reference.shape.join() !== u.shape.join()) {
        throw new Failure(`${path}: an array of shape [${reference.shape}]; the solutions have [${u.shape}]`);
      }
      requireFinite(path, "its array", reference);
      const sizes = reference.abs().reshape([reference.shape[0], -1]).max({ axis: 1 });
      if (!all(greater(sizes, 0)).item()) {
        throw new Failure(`${path}: a solution is 0 everywhere; there is no error relative to it`);
      }
      return relativeErrors(u, reference);
    }
  },
});
