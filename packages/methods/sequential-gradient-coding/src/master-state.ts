import type { GradientTransformation } from "@offprint/optim";
import type { RunState } from "@offprint/solvers";
import { ValueError } from "@offprint/tensor-core";
import type { JobResults } from "./job-results.js";
import { begin, type Scheme, type SchemeState } from "./scheme.js";

/** A step that a round has made. */
export interface ModelUpdate {
  /** t: the job whose gradient it was. */
  readonly job: number;
  /** The model. */
  readonly model: number;
  /** Its loss before the step. */
  readonly objective: number;
}

/** What `onProgress` is told of a round. */
export interface RoundRecord {
  /** From 1. */
  readonly round: number;
  /** The steps that its results completed. */
  readonly updates: readonly ModelUpdate[];
  /** Who was let go. */
  readonly stragglers: readonly number[];
  /** Who was slow and waited for. */
  readonly waitedFor: readonly number[];
  /** `[n]` what each worker did: places in `gridKinds`. */
  readonly kinds: readonly number[];
}

/** A model under way. */
export interface ModelState<P> {
  /** Its parameters. */
  readonly params: P;
  /** The state of its optimizer. */
  readonly optimizer: unknown;
}

/** A job whose gradient is not there yet. */
export interface OpenJob<P> {
  /** Number within the stretch. */
  readonly job: number;
  /** The weights that its gradient is taken at. */
  readonly params: P;
  /** What has come. */
  readonly results: JobResults;
}

/** Where the master is. */
export interface MasterState<P> {
  /** Rounds behind it. */
  readonly rounds: number;
  /** Steps made. */
  readonly steps: number;
  /** First job of this stretch: a run that goes on after its end begins a new one. */
  readonly first: number;
  /** The scheme. */
  readonly scheme: SchemeState;
  /** The models with the states of their optimizers. */
  readonly models: readonly ModelState<P>[];
  /** Jobs under way. */
  readonly open: readonly OpenJob<P>[];
  /** The record of the last round. */
  readonly last: RoundRecord | null;
}

/** What a training goes on from. */
export type ClusterTrainingState<P> = RunState<MasterState<P>, RoundRecord>;

/** Where a run begins. */
export function firstState<P>(models: readonly P[], optimizer: GradientTransformation, steps: number): MasterState<P> {
  return {
    rounds: 0,
    steps: 0,
    first: 0,
    scheme: begin(Math.max(1, steps)),
    models: models.map((params) => ({ params, optimizer: optimizer.init(params) })),
    open: [],
    last: null,
  };
}

/** @throws ValueError for the state of other models or of another scheme */
export function checkMasterState<P>(
  owner: string,
  { models, scheme: { active } }: MasterState<P>,
  scheme: Scheme,
  count: number,
): void {
  const wrong = active.some(
    ({ own, coded }) => own.length !== scheme.workers || coded.length !== scheme.layout.groups * scheme.workers,
  );
  if (models.length === count && !wrong) return;
  throw new ValueError(
    `${owner}: resume is of ${models.length} models${wrong ? " and another scheme" : ""}; give the models and the scheme that it was made with`,
  );
}
