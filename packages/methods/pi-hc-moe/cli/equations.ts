import { Failure, option } from "@offprint/commands";
import { readNpy } from "@offprint/data";
import { loadFile } from "@offprint/data/node";
import { all, isFinite as finite, greater, type Tensor, tensor } from "@offprint/tensor-core";
import { burgers, diffusionSorption, navierStokes2d, type PdeConstraint } from "../src/index.js";

/** Problems of any of the equations. */
export interface Initial {
  /** Initial conditions, `[count, ...]`. */
  readonly initial: Tensor;
}

/** Everything that makes an equation on a grid; undefined means the equation's default. */
export interface EquationDescription {
  /** Which. */
  readonly equation: EquationName;
  /** Times of the grid, from 0 on. */
  readonly times?: number | undefined;
  /** Points along each axis of space. */
  readonly points?: number | undefined;
  /** Last time. */
  readonly end?: number | undefined;
  /** Of Burgers. */
  readonly viscosity?: number | undefined;
  /** Period of Burgers. */
  readonly length?: number | undefined;
  /** Of a flow. */
  readonly reynolds?: number | undefined;
}

interface Kind {
  readonly make: (description: EquationDescription) => PdeConstraint<Initial>;
  /** Axes of one initial condition. */
  readonly axes: 0 | 1 | 2;
  /** Options of the equation that others do not have. */
  readonly own: readonly (keyof EquationDescription)[];
  readonly experts: readonly number[];
  readonly ridge: number;
  /** Channels that the network is given. */
  readonly inputs: number;
}

const kinds = {
  burgers: {
    make: ({ times, points, end, viscosity, length }) => burgers(given({ times, points, end, viscosity, length })),
    ...{ axes: 1, own: ["viscosity", "length"], experts: [1, 4], ridge: 0.1, inputs: 4 },
  },
  "diffusion-sorption": {
    make: ({ times, points, end }) => diffusionSorption(given({ times, points, end })),
    ...{ axes: 0, own: ["points"], experts: [1, 4], ridge: 1e-4, inputs: 3 },
  },
  "navier-stokes": {
    make: ({ times, points, end, reynolds }) => navierStokes2d(given({ times, points, end, reynolds })),
    ...{ axes: 2, own: ["reynolds"], experts: [1, 2, 2], ridge: 1e-4, inputs: 4 },
  },
} as const satisfies Record<string, Kind>;

/** The equations by name. */
export type EquationName = keyof typeof kinds;

function given<T extends object>(options: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}

/** All of them. */
export const equationNames = Object.keys(kinds) as EquationName[];

/** What an equation is, for commands. */
export const kindOf = (name: EquationName): Kind => kinds[name];

/** Beyond these, derivatives and their squares are no numbers any more. */
const scale = { least: 1e-9, most: 1e9 } as const;

/** Options that say which equation, and on which grid. */
export const equationOptions = {
  equation: option.choice(equationNames, "what is solved"),
  times: option.integer("times of the grid, from 0 on; default 16, and 33 of diffusion-sorption", { least: 3 }),
  points: option.integer("cells of diffusion-sorption; other equations have the points of the initial conditions", {
    least: 4,
  }),
  end: option.number("last time; default 1, and 500 of diffusion-sorption", scale),
  viscosity: option.number("of burgers; default 0.02", scale),
  length: option.number("period of burgers in space; default 4", scale),
  reynolds: option.number("Reynolds' number of navier-stokes; default 1e4", scale),
};

/** Options that say how experts solve. */
export const expertOptions = {
  experts: option.list(
    option.integer("experts along each axis of the grid, time first; default 1,4, and 1,2,2 of navier-stokes", {
      least: 1,
    }),
    { least: 2, most: 3 },
  ),
  ridge: option.number("weight of the penalty on weights; default 1e-4, and 0.1 of burgers", {
    least: 0,
    most: scale.most,
  }),
};

/** The equation of a description, on the grid of the initial conditions. */
export function equationOf(description: EquationDescription): PdeConstraint<Initial> {
  if (!equationNames.includes(description?.equation)) {
    throw new Failure(`there is no equation "${description?.equation}"; equations: ${equationNames.join(", ")}`);
  }
  return kindOf(description.equation).make(description);
}

/** What the options say of the equation. @throws Failure for an option that belongs to another equation. */
export function describeEquation(
  options: Partial<EquationDescription>,
  equation: EquationName,
  initial: Tensor,
): EquationDescription {
  for (const name of ["points", "viscosity", "length", "reynolds"] as const) {
    if (options[name] === undefined || kindOf(equation).own.includes(name)) continue;
    throw new Failure(`--${name} is no option of ${equation}; leave it out`);
  }
  const { times, end, viscosity, length, reynolds } = options;
  const points = kindOf(equation).axes === 0 ? options.points : initial.shape[1];
  return { equation, ...given({ times, points, end, viscosity, length, reynolds }) };
}

/** Initial conditions `[count, ...]` of a .npy file, of which one alone may lack the first axis. */
export async function readInitial(path: string, equation: EquationName): Promise<Tensor> {
  const { axes } = kindOf(equation);
  const read = tensor(await loadFile(path, readNpy), { dtype: "float64" });
  const initial = read.rank === axes ? read.expandDims(0) : read;
  const [n, m] = initial.shape.slice(1);
  if (initial.rank !== axes + 1 || initial.size === 0 || (axes === 2 && n !== m)) {
    const wanted = ["[count]", "[count, points]", "[count, points, points]"][axes];
    throw new Failure(`${path}: an array of shape [${read.shape}]; ${equation} takes ${wanted}`);
  }
  if (!all(finite(initial)).item()) throw new Failure(`${path}: a value is not finite`);
  if (equation === "diffusion-sorption" && !all(greater(initial, 0)).item()) {
    throw new Failure(`${path}: a value is not above 0; diffusion-sorption divides by initial values`);
  }
  if (equation === "navier-stokes") {
    const means = initial
      .mean({ axis: [1, 2] })
      .abs()
      .max()
      .item();
    if (means > 1e-6 * (initial.abs().max().item() || 1)) {
      throw new Failure(
        `${path}: a vorticity has mean ${means.toPrecision(3)}; take it away, periodic flows have none`,
      );
    }
  }
  return initial;
}
