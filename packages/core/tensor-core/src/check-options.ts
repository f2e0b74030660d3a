import { AN_OBJECT, called, requireBackend, requireObject, requireSeed } from "./arguments.js";
import { ValueError } from "./errors.js";
import { nearestWords } from "./nearest-words.js";

/** How other libraries call an option, without case and underscores, and what it is here, the likeliest first. */
const foreignWords: readonly (readonly [theirs: string, ours: string])[] = [
  ["lr eta stepsize learningrate", "learningRate stepSize"],
  ["maxiter maxiters niter numiter itermax iterations", "maxIterations steps"],
  ["maxsteps nsteps numsteps", "steps maxIterations"],
  ["nepochs numepochs", "epochs"],
  ["tol xtol ftol", "tolerance"],
  ["rtol", "tolerance relativeTolerance"],
  ["atol", "tolerance absoluteTolerance"],
  ["gtol", "gradientTolerance tolerance"],
  ["x0 init start initialguess initialpoint", "initial"],
  ["randomstate randomseed", "seed"],
  ["key", "seed rng"],
  ["callback onepoch onstep", "onProgress"],
  ["abortsignal", "signal"],
  ["dim axes", "axis"],
  ["keepdim", "keepDims"],
  ["eps", "epsilon"],
  ["wd l2", "weightDecay"],
  ["betas", "beta1"],
  ["minibatch bs", "batchSize"],
  ["device", "backend"],
];

/**
 * Throws unless every name in `options` is one of `known`, so that a misspelt option is not silently ignored; and
 * unless a `seed` among them is a finite number or a text, and a `backend` one that compiles.
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
  const given = called(options);
  if (given !== AN_OBJECT) {
    const wanted = required.length === 0 ? AN_OBJECT : `{ ${required.join(", ")} }`;
    throw new ValueError(`${owner}: the options are ${given}; give ${wanted}. ${listed(known)}`);
  }
  for (const [name, value] of Object.entries(options as object)) {
    if (!known.includes(name)) throw new ValueError(complaint(owner, name, known));
    if (name === "seed") requireSeed(owner, value);
    if (name === "backend" && value !== undefined) requireBackend(owner, name, value);
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

function complaint(owner: string, name: string, known: readonly string[]): string {
  const meant = meantBy(name, known);
  const question = meant === undefined ? "." : `; did you mean "${meant}"?`;
  return `${owner}: there is no option "${name}"${question} ${listed(known)}`;
}

function meantBy(name: string, known: readonly string[]): string | undefined {
  const plain = (word: string) => word.toLowerCase().replace(/[_-]/g, "");
  const same = known.find((candidate) => plain(candidate) === plain(name));
  if (same !== undefined) return same;
  const foreign = foreignWords.find(([theirs]) => theirs.split(" ").includes(plain(name)))?.[1].split(" ");
  return (
    foreign?.find((word) => known.includes(word)) ??
    nearestWords(name, known, 1)[0] ??
    known.find((candidate) => candidate.length > 2 && plain(name).startsWith(plain(candidate)))
  );
}

function listed(known: readonly string[]): string {
  return known.length === 0 ? "It takes no options." : `Options: ${known.join(", ")}`;
}
