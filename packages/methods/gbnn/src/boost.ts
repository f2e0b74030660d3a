import { type Loop, type RunOptions, type RunState, runLoop, type Status } from "@offprint/solvers";
import { NonFiniteError, type Rng, type Tensor, take, ValueError } from "@offprint/tensor-core";
import { type SolverState, type SolverStatus, solveLayer } from "./block-solver.js";
import { type CompiledObjective, columnsOf, evaluateLayer, hiddenLayerObjective, viewLayer } from "./hidden-layer.js";
import type { BoostLoss } from "./loss.js";
import { blockSize, type GbnnModel, initialScores } from "./model.js";
import type { ResolvedOptions } from "./options.js";

/** What happened at a block. */
export interface GbnnRecord {
  /** Blocks made, from 1. */
  readonly block: number;
  /** Mean loss over the training samples after it. */
  readonly objective: number;
  /** The block's step rho. */
  readonly step: number;
  /** Iterations of its solver. */
  readonly solverIterations: number;
  /** How its solver ended. */
  readonly solverStatus: SolverStatus;
}

/** What boosting goes on from. */
export interface GbnnState {
  /** The model with the blocks so far. */
  readonly model: GbnnModel;
  /** F of the training samples, `[samples, outputs]`. */
  readonly scores: Float64Array;
  /** Where the solver of the next block was interrupted; null between blocks. */
  readonly solving: SolverState | null;
  /** Nothing is left to fit. */
  readonly converged: boolean;
  /** What happened at the last block. */
  readonly last: GbnnRecord | null;
}

/** What boosting gives. */
export interface Boosted {
  /** The network as a sum of blocks. */
  readonly model: GbnnModel;
  /** Mean loss over the training samples. */
  readonly objective: number;
  /** That of F_0, before the first block. */
  readonly initialObjective: number;
  /** Blocks made. */
  readonly iterations: number;
  /** The record of each. */
  readonly history: readonly GbnnRecord[];
  /** All blocks were made (`limit`), nothing was left to fit (`converged`), or the run was stopped or aborted. */
  readonly status: Status;
  /** What `resume` goes on from. */
  readonly state: RunState<GbnnState, GbnnRecord>;
}

/** Training samples in the model's units. */
export interface BoostSamples {
  /** `[features, samples]`, standardised. */
  readonly x: Tensor;
  /** `[samples, outputs]`, row-major, coded for the loss. */
  readonly targets: Float64Array;
  /** n. */
  readonly rows: number;
}

/** What a run is made of. */
export interface Boosting {
  /** The public function that runs, for messages. */
  readonly owner: string;
  readonly samples: BoostSamples;
  readonly loss: BoostLoss;
  readonly options: ResolvedOptions;
  readonly rng: Rng;
}

/** Adds blocks to an empty model until it has all of them. */
export async function boost(
  boosting: Boosting,
  empty: GbnnModel,
  running: RunOptions<GbnnRecord, RunState<GbnnState, GbnnRecord>>,
): Promise<Boosted> {
  const { owner, samples, loss, options } = boosting;
  const { targets, rows } = samples;
  const F0 = initialScores(empty.initial, rows);
  const objective = hiddenLayerObjective(blockSize(empty), options);
  const loop: Loop<GbnnState, GbnnRecord> = {
    owner,
    limit: options.blocks,
    limitName: "totalUnits",
    initial: () => ({ model: empty, scores: F0, solving: null, converged: false, last: null }),
    step: (state) => nextBlock(state, boosting, objective, running.signal),
    count: ({ model }) => model.blocks.length,
    record: ({ solving, converged, last }) => (solving !== null || converged || last === null ? undefined : last),
    finished: ({ converged }) => (converged ? "converged" : undefined),
    check: (state) => checkState(boosting, state, empty, F0.length),
  };
  try {
    const { last, ...run } = await runLoop(loop, running);
    const initialObjective = loss.value(targets, F0);
    return { ...run, model: last.model, objective: loss.value(targets, last.scores), initialObjective };
  } finally {
    objective.release();
  }
}

/** One iteration of the sheet's loop: the state with one block more, or where its solver was interrupted. */
async function nextBlock(
  state: GbnnState,
  { owner, samples, loss, options, rng }: Boosting,
  objective: CompiledObjective,
  signal: AbortSignal | undefined,
): Promise<GbnnState> {
  const { x, targets, rows } = samples;
  const { model, scores: F, solving } = state;
  const size = blockSize(model);
  const t = model.blocks.length;
  const r = loss.residuals(targets, F);
  const units = loss.units?.(targets) ?? new Float64Array(size.outputs).fill(1);
  if (largest(r) <= 1e-14 * largest(targets)) return { ...state, converged: true };
  const stream = rng.fork(t); // one for each block, so that a shorter run is a prefix of a longer one
  const drawn = Math.max(1, Math.floor(options.subsample * rows));
  const all = { x, targets: columnsOf(inUnits(r, units, -1), size.outputs) };
  const S = drawn < rows ? stream.choice(rows, { shape: [drawn], replace: false }) : undefined;
  const chosen = S === undefined ? all : { x: take(x, S, 1), targets: take(all.targets, S, 1) };
  const f = await solveLayer(owner, stream, objective, chosen, size, options, {
    ...(signal && { signal }),
    ...(solving && { resume: solving }),
  });
  if (f.status === "aborted") return { ...state, solving: f.state };
  const fitted = viewLayer(f.parameters, size);
  const outputs = { outputWeight: inUnits(fitted.outputWeight, units), outputBias: inUnits(fitted.outputBias, units) };
  const layer = { ...fitted, ...outputs };
  const phi = evaluateLayer(x, layer, size, model.activation);
  const newton = loss.step(targets, F, r, phi);
  if (!Number.isFinite(newton)) return { ...state, solving: null, converged: true };
  const rho = options.learningRate * (options.nonNegativeStep ? Math.max(0, newton) : newton);
  const scores = F.map((value, i) => value + rho * phi[i]);
  const value = loss.value(targets, scores);
  if (!Number.isFinite(value)) {
    throw new NonFiniteError(`the mean loss is ${value}; take a smaller learningRate, or targets of a smaller scale`);
  }
  const blocks = [...model.blocks, { ...layer, step: rho }];
  const solver = { solverIterations: f.iterations, solverStatus: f.status };
  const last = { block: t + 1, objective: value, step: rho, ...solver };
  return { model: { ...model, blocks }, scores, solving: null, converged: false, last };
}

/** @throws ValueError unless the state belongs to the same samples and options. */
function checkState(
  { owner, samples, loss }: Boosting,
  { model, scores, last }: GbnnState,
  empty: GbnnModel,
  length: number,
): void {
  if (!Array.isArray(model?.blocks) || !(scores instanceof Float64Array)) {
    throw new ValueError(`${owner}: resume holds no model; give the \`state\` of a result or of a checkpoint`);
  }
  for (const key of ["task", "features", "units", "outputs", "activation", "link", "margin"] as const) {
    if (model[key] === empty[key]) continue;
    throw new ValueError(
      `${owner}: resume has ${key} ${model[key]}, this run ${empty[key]}; give the samples and options of the earlier run`,
    );
  }
  for (const key of ["mean", "std", "initial"] as const) {
    if (scores.length === length && model[key]?.every((value, i) => value === empty[key][i])) continue;
    throw new ValueError(
      `${owner}: resume was fitted to other samples (its ${key} differs); give those of the earlier run`,
    );
  }
  const same = model.classes?.join() === empty.classes?.join();
  if (!same || (last !== null && last.objective !== loss.value(samples.targets, scores))) {
    const what = same ? "its objective differs" : "its classes differ";
    throw new ValueError(`${owner}: resume was fitted to other targets (${what}); give those of the earlier run`);
  }
}

/** Columns times their units, or to another power of them. */
function inUnits(values: Float64Array, units: Float64Array, power: 1 | -1 = 1): Float64Array {
  return values.map((value, i) => value * units[i % units.length] ** power);
}

function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}
