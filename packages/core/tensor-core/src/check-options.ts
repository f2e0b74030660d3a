import { requireObject } from "./arguments.js";
import { ValueError } from "./errors.js";
import { nearestWords } from "./nearest-words.js";
import { isTensor } from "./tensor.js";

/** How other libraries call an option, without case and underscores, and what it is here. */
const foreignWords: Readonly<Record<string, readonly string[]>> = {
  lr: ["learningRate", "stepSize"],
  eta: ["learningRate", "stepSize"],
  stepsize: ["stepSize", "learningRate"],
  learningrate: ["learningRate", "stepSize"],
  maxiter: ["maxIterations", "steps"],
  maxiters: ["maxIterations", "steps"],
  maxsteps: ["steps", "maxIterations"],
  niter: ["maxIterations", "steps"],
  numiter: ["maxIterations", "steps"],
  itermax: ["maxIterations", "steps"],
  iterations: ["maxIterations", "steps"],
  nsteps: ["steps", "maxIterations"],
  numsteps: ["steps", "maxIterations"],
  nepochs: ["epochs"],
  numepochs: ["epochs"],
  tol: ["tolerance"],
  xtol: ["tolerance"],
  ftol: ["tolerance"],
  rtol: ["tolerance", "relativeTolerance"],
  atol: ["tolerance", "absoluteTolerance"],
  gtol: ["gradientTolerance", "tolerance"],
  x0: ["initial"],
  init: ["initial"],
  start: ["initial"],
  initialguess: ["initial"],
  initialpoint: ["initial"],
  randomstate: ["seed"],
  randomseed: ["seed"],
  key: ["seed", "rng"],
  callback: ["onProgress"],
  onepoch: ["onProgress"],
  onstep: ["onProgress"],
  abortsignal: ["signal"],
  dim: ["axis"],
  axes: ["axis"],
  keepdim: ["keepDims"],
  eps: ["epsilon"],
  wd: ["weightDecay"],
  l2: ["weightDecay"],
  betas: ["beta1"],
  minibatch: ["batchSize"],
  bs: ["batchSize"],
  device: ["backend"],
};

/**
 * Throws unless every name in `options` is one of `known`, so that a misspelt option is not silently ignored.
 * @param owner The function whose options they are, as messages begin.
 * @param required Those that have no default; where there are some, the options must be given.
 * @throws ValueError that names the option, the nearest known one and all there are; also where `options` is not an
 * object, and where a required one is missing.
 * @example checkOptions("adam", options, ["learningRate", "beta1", "beta2", "epsilon"])
 */
export function checkOptions(
  owner: string,
  options: object | undefined,
  known: readonly string[],
  required: readonly string[] = [],
): void {
  if (options === undefined && required.length === 0) return;
  if (typeof options !== "object" || options === null || isArrayLike(options)) {
    const wanted = required.length === 0 ? "an object" : `{ ${required.join(", ")} }`;
    throw new ValueError(`${owner}: the options are ${describe(options)}; give ${wanted}. ${listed(known)}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new ValueError(complaint(owner, name, known));
  }
  const missing = required.find((name) => (options as Record<string, unknown>)[name] === undefined);
  if (missing !== undefined) throw new ValueError(`${owner}: there is no ${missing}; give one. ${listed(known)}`);
}

/**
 * Throws where an option was given that would do nothing beside the others, so that it is not silently ignored.
 * @param beside What makes it idle, as messages say: `"an optimizer of your own"`.
 * @param idle The options that would do nothing.
 * @throws ValueError that names the option.
 * @example if (options.optimizer !== undefined) refuseIdle("fit", "an optimizer", options, ["learningRate"])
 */
export function refuseIdle<O extends object>(
  owner: string,
  beside: string,
  options: O,
  idle: readonly (keyof O & string)[],
): void {
  requireObject("refuseIdle", "idle", idle, "the names of options");
  const given = idle.find((name) => options[name] !== undefined);
  if (given !== undefined) throw new ValueError(`${owner}: ${given} does nothing with ${beside}; leave it out`);
}

function isArrayLike(value: object): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value) || isTensor(value);
}

function complaint(owner: string, name: string, known: readonly string[]): string {
  const meant = meantBy(name, known);
  const question = meant === undefined ? "." : `; did you mean "${meant}"?`;
  return `${owner}: there is no option "${name}"${question} ${listed(known)}`;
}

function meantBy(name: string, known: readonly string[]): string | undefined {
  const plain = (word: string) => word.toLowerCase().replace(/[_-]/g, "");
  const same = known.find((candidate) => plain(candidate) === plain(name));
  if (same !== undefined) return same;
  const foreign = Object.hasOwn(foreignWords, plain(name)) ? foreignWords[plain(name)] : [];
  return (
    foreign.find((word) => known.includes(word)) ??
    nearestWords(name, known, 1)[0] ??
    known.find((candidate) => candidate.length > 2 && plain(name).startsWith(plain(candidate)))
  );
}

function listed(known: readonly string[]): string {
  return known.length === 0 ? "It takes no options." : `Options: ${known.join(", ")}`;
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (ArrayBuffer.isView(value)) return "a typed array";
  if (isTensor(value)) return "a tensor";
  return typeof value === "function" ? "a function" : String(value);
}
