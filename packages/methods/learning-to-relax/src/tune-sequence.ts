import { type RunOptions, type RunState, runLoop, runOptionNames, type Status } from "@offprint/solvers";
import { checkOptions, requireFunction, requireInteger, requireObject, ValueError } from "@offprint/tensor-core";
import type { OnlinePolicy, PolicyState } from "./policy.js";
import { policyFromJSON } from "./policy-from-json.js";

/** One problem, done. */
export interface Round<Setting = number> {
  /** From 0. */
  readonly round: number;
  /** What was chosen. */
  readonly setting: Setting;
  /** What it cost. */
  readonly loss: number;
}

/** What a run goes on from, beside the records of its rounds. */
export interface SequenceState {
  /** Problems done. */
  readonly rounds: number;
  /** Whether there are no more. */
  readonly ended: boolean;
  /** The policy after them, as `toJSON` describes it; null while it is in use. */
  readonly policy: PolicyState | null;
  /** What the solver keeps from problem to problem. */
  readonly memory: unknown;
}

/**
 * Problems in their order: any iterable, also an asynchronous one, or a function that makes one of those that follow the
 * first `done`. A resumed run draws and passes over what is done, or asks the function for the rest.
 */
export type Problems<Problem> =
  | Iterable<Problem>
  | AsyncIterable<Problem>
  | ((done: number) => Iterable<Problem> | AsyncIterable<Problem>);

/** What the solver keeps from problem to problem, such as a solution to start from. */
export interface Memory {
  /** What it keeps now; a tree, or null. */
  get(): unknown;
  /** Takes over what was saved. */
  set(saved: unknown): void;
}

/** Options of {@link tuneSequence}. */
export interface TuneSequenceOptions<Problem, Setting = number, Record extends Round<Setting> = Round<Setting>>
  extends RunOptions<Record, RunState<SequenceState, Record>> {
  /** Problems at most, those of resumed runs included. Default all. */
  readonly rounds?: number;
  /** The number that the policy is told of a problem beforehand; none unless given. */
  readonly context?: (problem: Problem) => number;
  /** Makes a policy of one's own from what its `toJSON` gave, to resume. Default `policyFromJSON` with the policy's settings. */
  readonly restore?: (state: PolicyState) => OnlinePolicy<Setting>;
}

/** Costs and choices of a sequence. */
export interface TuneSequenceResult<Setting = number, Record extends Round<Setting> = Round<Setting>> {
  /** `[T]` costs. */
  readonly losses: Float64Array;
  /** `[T]` choices. */
  readonly settings: Setting[];
  /** Sum of the costs. */
  readonly totalLoss: number;
  /** The policy after the last problem: the one given, or where a run was resumed, one like it made from the state. */
  readonly policy: OnlinePolicy<Setting>;
  /** Problems done: T. */
  readonly rounds: number;
  /** `"limit"` when the problems or the rounds ran out. */
  readonly status: Exclude<Status, "converged">;
  /** The records of the rounds. */
  readonly history: readonly Record[];
  /** What a further run resumes from: give it the same problems. */
  readonly state: RunState<SequenceState, Record>;
}

/** The names of {@link TuneSequenceOptions}. */
export const sequenceOptionNames = ["rounds", "context", "restore", ...runOptionNames];

/**
 * For every problem: the policy chooses, `solve` solves and says what it cost, the policy learns. Problems are drawn one
 * at a time, so that a generator may make each from the solution of the one before.
 *
 * @param problems - see {@link Problems}.
 * @param solve - solves a problem with a setting; returns the cost, such as the solver's iteration count, >= 0.
 * @param policy - is changed; keep `policy.toJSON()` to go on with other problems later. To resume, one of the same kind and
 * settings; what it knows comes from the state.
 * @throws ValueError for options, costs and contexts out of range; whatever `solve` throws.
 */
export async function tuneSequence<Problem, Setting = number>(
  problems: Problems<Problem>,
  solve: (problem: Problem, setting: Setting) => number | Promise<number>,
  policy: OnlinePolicy<Setting>,
  options: TuneSequenceOptions<Problem, Setting> = {},
): Promise<TuneSequenceResult<Setting>> {
  requireFunction("tuneSequence", "solve", solve);
  requireObject("tuneSequence", "policy", policy, "an OnlinePolicy");
  checkOptions("tuneSequence", options, sequenceOptionNames);
  return runSequence(
    "tuneSequence",
    problems,
    async (problem, setting) => ({ loss: await solve(problem, setting) }),
    policy,
    options,
  );
}

/**
 * `tuneSequence` for solvers that tell more than a cost, which becomes part of the record. Undefined stands for a solve
 * that was given up because the signal fired: the choice counts as not made.
 */
export async function runSequence<Problem, Setting, Told extends { readonly loss: number }>(
  owner: string,
  problems: Problems<Problem>,
  solve: (problem: Problem, setting: Setting, round: number) => Promise<Told | undefined>,
  given: OnlinePolicy<Setting>,
  options: TuneSequenceOptions<Problem, Setting, Round<Setting> & Told>,
  memory?: Memory,
): Promise<TuneSequenceResult<Setting, Round<Setting> & Told>> {
  type Record = Round<Setting> & Told;
  const { rounds = Number.MAX_SAFE_INTEGER, context, signal, resume } = options;
  // The settings themselves: JSON loses functions, for one.
  const { restore = (state: PolicyState) => policyFromJSON<Setting>(state, given.settings) } = options;
  requireInteger(owner, "rounds", rounds, 0);
  requireFunction(owner, "policy.choose", given.choose);
  requireFunction(owner, "policy.update", given.update);
  requireFunction(owner, "restore", restore);
  if (context !== undefined) requireFunction(owner, "context", context);
  const known = resume?.inner?.policy;
  if (known) requireAlike(owner, given, known);
  let policy = known ? restore(known) : given;
  if (resume?.inner?.memory !== undefined) memory?.set(resume.inner.memory);
  let record: Record | undefined;
  const source = drawing(owner, problems);
  const run = await runLoop<SequenceState, Record, "limit">(
    {
      owner,
      limit: rounds,
      limitName: "rounds",
      initial: () => ({ rounds: 0, ended: false, policy: null, memory: null }),
      step: async (state) => {
        record = undefined;
        const drawn = await source.next(state.rounds);
        if (drawn.done) return { ...state, ended: true };
        const before = signal === undefined ? undefined : policy.toJSON();
        const setting = policy.choose(context?.(drawn.value));
        const told = await solve(drawn.value, setting, state.rounds);
        if (told === undefined) {
          if (before !== undefined) policy = restore(before);
          return state;
        }
        policy.update(told.loss);
        record = { round: state.rounds, setting, ...told };
        return { ...state, rounds: state.rounds + 1 };
      },
      record: () => record,
      count: (state) => state.rounds,
      finished: ({ ended }) => (ended ? "limit" : undefined),
      snapshot: (state) => ({
        ...state,
        policy: JSON.parse(JSON.stringify(policy)) as PolicyState,
        memory: memory?.get() ?? null,
      }),
      check: ({ rounds: done, policy: saved }) => {
        if (Number.isSafeInteger(done) && typeof saved === "object" && saved !== null) return;
        throw new ValueError(`${owner}: resume is not the state of a sequence; give the \`state\` of a result`);
      },
    },
    options,
  ).finally(() => source.close());
  const { status, history, state, iterations } = run;
  const losses = Float64Array.from(history, ({ loss }) => loss);
  return {
    losses,
    settings: history.map(({ setting }) => setting),
    totalLoss: losses.reduce((sum, loss) => sum + loss, 0),
    policy,
    rounds: iterations,
    status,
    history,
    state,
  };
}

/** @throws ValueError where a state to resume holds another policy than the one given, which would do nothing. */
function requireAlike(owner: string, given: OnlinePolicy<unknown>, known: PolicyState): void {
  const described = ({ policy, settings }: PolicyState) => `${policy} over ${JSON.stringify(settings)}`;
  const [own, saved] = [described(given.toJSON()), described(known)];
  if (own === saved) return;
  throw new ValueError(`${owner}: policy is ${own}, and resume goes on with ${saved}; give a policy like that`);
}

/** Draws problems by their number; those that a resumed run has behind it are passed over. */
function drawing<Problem>(owner: string, problems: Problems<Problem>) {
  let iterator: Iterator<Problem> | AsyncIterator<Problem> | undefined;
  let drawn = 0;
  const begin = (round: number) => {
    const made = typeof problems === "function" ? problems(round) : problems;
    if (typeof problems === "function") drawn = round;
    requireObject(owner, "problems", made, "an array or another iterable, or a function that makes one");
    if (!(Symbol.asyncIterator in made || Symbol.iterator in made)) {
      throw new ValueError(`${owner}: problems cannot be iterated; give an array, or a generator`);
    }
    return Symbol.asyncIterator in made ? made[Symbol.asyncIterator]() : made[Symbol.iterator]();
  };
  return {
    async next(round: number): Promise<IteratorResult<Problem, unknown>> {
      iterator ??= begin(round);
      for (; drawn < round; drawn++) {
        if ((await iterator.next()).done) return { done: true, value: undefined };
      }
      drawn++;
      return iterator.next();
    },
    /** Lets a generator clean up, as leaving a loop does. */
    async close(): Promise<void> {
      await iterator?.return?.();
    },
  };
}
