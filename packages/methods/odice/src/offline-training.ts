import { disposeReplaced, onHost } from "@offprint/optim";
import { figureOf, type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import {
  type Backend,
  hostBackend,
  jit,
  NonFiniteError,
  type Rng,
  random,
  requireFunction,
  requireInteger,
  stack,
  type Tensor,
  tree,
  ValueError,
} from "@offprint/tensor-core";
import type { Policy } from "./gaussian-policy.js";
import { type OfflineDataset, rowsOf } from "./offline-dataset.js";
import type { OfflineBatch } from "./value-gradients.js";

/** What is told of a step. */
export interface OfflineRecord {
  /** Number of the update, from 1. */
  readonly step: number;
  /** Diagnostics of the batch, by name. */
  readonly figures: Readonly<Record<string, number>>;
  /** What `evaluate` gave, at the steps at which it was called. */
  readonly evaluation?: number;
}

/** Where training stands. */
export interface OfflinePoint<S> {
  /** Networks and optimizers: a tree. */
  readonly learner: S;
  /** Diagnostics of the last batch. */
  readonly figures: Readonly<Record<string, number>>;
  /** What `evaluate` gave after the last step; null where it was not called. */
  readonly evaluation: number | null;
  /** Steps in a row with next to no weights. */
  readonly starved: number;
  /** Whether that was told. */
  readonly warned: boolean;
}

/** A state to go on from. */
export type OfflineState<S = unknown> = RunState<OfflinePoint<S>, OfflineRecord>;

/** What every offline training takes. */
export interface OfflineOptions extends RunOptions<OfflineRecord, OfflineState> {
  /** Updates. */
  readonly steps: number;
  /** Transitions an update. Default 256. */
  readonly batchSize?: number;
  /** What networks and batches follow from. Default 0. */
  readonly seed?: number | string;
  /** A record every so many steps. Default 100. */
  readonly recordEvery?: number;
  /** Judges the policy, such as by episodes in a simulator. */
  readonly evaluate?: (policy: Policy) => number | Promise<number>;
  /** How often. Default 5000 steps, and at the end. */
  readonly evaluateEvery?: number;
  /** Gets warnings as they come up; they are in the result too. */
  readonly onWarning?: (message: string) => void;
  /** Compiles the update. Default: the compiler of tensor-core, which is quick for networks up to about 100 wide. */
  readonly backend?: Backend;
}

/** @internal Names of {@link OfflineOptions}. */
export const offlineNames = [
  ...["steps", "batchSize", "seed", "recordEvery", "evaluate", "evaluateEvery", "onWarning", "backend"],
  ...runOptionNames,
] as const;

/** What every offline training gives. */
export interface OfflineResult<S> {
  /** The policy. */
  readonly policy: Policy;
  /** Networks and optimizers. */
  readonly params: S;
  /** Updates made. */
  readonly steps: number;
  /** How it ended; `limit` after all steps. */
  readonly status: Status;
  /** A record every `recordEvery` steps. */
  readonly history: readonly OfflineRecord[];
  /** What `resume` goes on from. */
  readonly state: OfflineState<S>;
  /** What was odd. */
  readonly warnings: readonly string[];
}

/** How a method learns: its networks, and an update as one pure function of tensors. */
export interface Learner<S> {
  /** Networks and optimizers before the first update: a tree of tensors. */
  readonly initial: (rng: Rng) => S;
  /** The update and its figures, scalars; compiled as a whole. */
  readonly update: (learner: S, batch: OfflineBatch) => { learner: S; figures: Readonly<Record<string, Tensor>> };
  /** The policy of what was learnt. */
  readonly policy: (learner: S) => Policy;
}

/** Share of positive weights, and steps in a row below it, at which a warning is due. */
const [least, patience] = [0.01, 200];

/** Trains on batches of logged transitions under the contract of long work. */
export async function trainOffline<S>(
  owner: string,
  dataset: OfflineDataset,
  { initial, update, policy }: Learner<S>,
  options: OfflineOptions,
): Promise<OfflineResult<S>> {
  const { steps, batchSize = 256, seed = 0, recordEvery = 100, evaluateEvery = 5000, evaluate, onWarning } = options;
  const { backend = hostBackend } = options;
  requireInteger(owner, "steps", steps, 0);
  requireInteger(owner, "batchSize", batchSize, 1);
  requireInteger(owner, "recordEvery", recordEvery, 1);
  requireInteger(owner, "evaluateEvery", evaluateEvery, 1);
  if (evaluate !== undefined) requireFunction(owner, "evaluate", evaluate);
  if (onWarning !== undefined) requireFunction(owner, "onWarning", onWarning);
  const { dtype } = dataset.rewards;
  const start = initial(random.rng(`${seed}/networks`));
  const warnings = [...dataset.warnings];
  for (const message of warnings) onWarning?.(message);
  let names: string[] = [];
  const compiled = jit(
    (learner: S, batch: OfflineBatch) => {
      const made = update(learner, batch);
      names = Object.keys(made.figures);
      return { learner: made.learner, figures: stack(names.map((name) => made.figures[name].cast(dtype))) };
    },
    { backend },
  );
  const shapes = (learner: S) =>
    tree
      .leaves<Tensor>(learner)
      .map((leaf) => String(leaf.shape))
      .join(";");
  try {
    const run = await runLoop<OfflinePoint<S>, OfflineRecord, never>(
      {
        owner,
        limit: steps,
        limitName: "steps",
        initial: () => ({ learner: start, figures: {}, evaluation: null, starved: 0, warned: false }),
        async step({ learner, starved, warned }, k) {
          const rows = random.rng(`${seed}/batch/${k}`).randint([batchSize], { high: dataset.size });
          const made = await compiled(learner, rowsOf(dataset, rows));
          const values = (await made.figures.host()).data();
          disposeReplaced(learner, made.learner);
          const figures = Object.fromEntries(names.map((name, i) => [name, values[i]]));
          const bad = names.find((name) => !Number.isFinite(figures[name]));
          if (bad !== undefined) {
            throw new NonFiniteError(`step ${k}: ${bad} is ${figures[bad]}; try smaller learning rates or rewards`);
          }
          const now = (figures["positiveShare"] ?? 1) < least ? starved + 1 : 0;
          const due = now >= patience && !warned;
          if (due) {
            const message = `fewer than 1 % of the transitions had a positive weight for ${patience} steps, so that the policy learns next to nothing: take a smaller lambda, or larger rewards`;
            warnings.push(message);
            onWarning?.(message);
          }
          const judged = evaluate !== undefined && (k % evaluateEvery === 0 || k === steps);
          return {
            learner: made.learner,
            figures,
            evaluation: judged ? await figureOf(owner, "evaluate", evaluate(policy(await onHost(made.learner)))) : null,
            starved: now,
            warned: warned || due,
          };
        },
        record({ figures, evaluation }, k) {
          if (evaluation === null) return k % recordEvery === 0 ? { step: k, figures } : undefined;
          return { step: k, figures, evaluation };
        },
        snapshot: async (point) => ({ ...point, learner: await onHost(point.learner) }),
        check({ learner }) {
          if (shapes(learner) === shapes(start)) return;
          throw new ValueError(`${owner}: resume is a state of other networks; give those of the run before`);
        },
      },
      { ...options, resume: options.resume as OfflineState<S> | undefined } as RunOptions<
        OfflineRecord,
        OfflineState<S>
      >,
    );
    const { last, iterations, status, history, state } = run;
    return { policy: policy(last.learner), params: last.learner, steps: iterations, status, history, state, warnings };
  } finally {
    await compiled.release();
  }
}
