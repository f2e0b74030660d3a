import type { CausalLM } from "@offprint/language";
import { random, type Tensor, tensor, ValueError } from "@offprint/tensor-core";
import { requireValues } from "./argument-checks.js";
import { evidence } from "./evidence.js";

import { largest, NextToken, softmaxOf } from "./next-token.js";
import { type ReagentOptions, type Settings, type StepTrace, settle } from "./reagent-options.js";
import { type Probe, type ReagentState, resumedProbes } from "./reagent-state.js";
import { replaced } from "./replacer.js";

/** What `reagent` finds. */
export interface Attribution {
  /** `[L]`: share of the prediction that each token of the prompt is responsible for; sums to 1. */
  readonly importance: Float64Array;
  /** The same of every run, float64 `[B, L]`. */
  readonly perProbe: Tensor;
  /** Tokens that are among the `keepTopN` of at least `overlapThreshold` runs, in the order of the prompt. */
  readonly rationale: readonly number[];
  /** The token that was explained. */
  readonly target: number;
  /** Its probability after the prompt. */
  readonly p0: number;
  /** Whether a run stopped by itself; otherwise the mean is over all runs. */
  readonly converged: boolean;
  /** How it ended: every run stopped, the steps were used up, or the signal fired. */
  readonly status: "stopped" | "maxSteps" | "aborted";
  /** Steps done. */
  readonly steps: number;
  /** Prompts given to the model. */
  readonly forwardPasses: number;
  /** Which runs stopped. */
  readonly stopped: readonly boolean[];
  /** Step in which each run stopped, or null. */
  readonly stoppedAt: readonly (number | null)[];
  /** The prompt, kept tokens and replacements, after which a run found the target among the `topK`; or null. */
  readonly stopPrompts: readonly (Int32Array | null)[];
  /** Whether `keepTopN` covers the prompt, so that the stop test says nothing. */
  readonly trivial: boolean;
  /** For plots: per step, the mean change of the target's probability, and how many runs were still going after it. */
  readonly history: { readonly changes: readonly number[]; readonly active: readonly number[] };
  /** Where the runs stand, for `resume`. */
  readonly state: ReagentState;
}

/**
 * ReAGent (Zhao and Shan, 2024): replaces random tokens of a prompt by plausible ones again and again, and credits the
 * tokens whose absence makes the target less probable, until the few best of them, among replacements of all others,
 * still make the model say it. Forward passes only.
 *
 * @param ids `[L]` the prompt.
 * @throws ValueError, IndexError or ShapeError for arguments out of range, for a replacer that changes lengths, and for
 * scores that are not finite (with the number of the step).
 * @see https://arxiv.org/abs/2402.00794
 * @example const { importance } = await reagent(lm, ids, { replacer: replacers.mlm(maskedModel) });
 */
export async function reagent(lm: CausalLM, ids: Int32Array, options: ReagentOptions): Promise<Attribution> {
  const settings = settle(lm, ids, options);
  const search = await Search.begin(lm, ids, settings, options);
  let status: Attribution["status"] = "maxSteps";
  while (search.step < settings.maxSteps) {
    if (search.active().length === 0) break;
    if (options.signal?.aborted) {
      status = "aborted";
      break;
    }
    const trace = await search.advance();
    await options.onProgress?.(trace);
  }
  return search.result(search.active().length === 0 ? "stopped" : status);
}

class Search {
  private constructor(
    private readonly lm: CausalLM,
    private readonly ids: Int32Array,
    private readonly settings: Settings,
    private readonly options: ReagentOptions,
    private readonly probes: Probe[],
    private readonly target: number,
    private readonly p0: number,
    public step: number,
    private forwardPasses: number,
    private readonly changes: number[],
    private readonly activeAfter: number[],
  ) {}

  static async begin(lm: CausalLM, ids: Int32Array, settings: Settings, options: ReagentOptions): Promise<Search> {
    const { resume } = options;
    if (resume !== undefined) {
      const probes = resumedProbes(resume, ids, settings.probes);
      const { target, p0, step, forwardPasses, changes, active } = resume;
      if (options.target !== undefined && options.target !== target) {
        throw new ValueError(
          `reagent: resume explains token ${target}, not target ${options.target}; leave target out`,
        );
      }
      return new Search(lm, ids, settings, options, probes, target, p0, step, forwardPasses, [...changes], [...active]);
    }
    const first = await NextToken.after(lm, [ids], "reagent: step 0");
    const target = options.target ?? first.best(0);
    const probes = initialProbes(ids.length, settings, options);
    return new Search(lm, ids, settings, options, probes, target, first.probability(0, target), 0, 1, [], []);
  }

  /** The runs that have not stopped. */
  active(): number[] {
    return this.probes.flatMap(({ stoppedAt }, run) => (stoppedAt === null ? [run] : []));
  }

  /** One step of every run that has not stopped: replace, measure, credit, and test whether to stop. */
  async advance(): Promise<StepTrace> {
    this.step += 1;
    const runs = this.active();
    const { step, settings, target, p0 } = this;
    const masks = runs.map((run) => this.drawMask(run));
    const prompts = await this.replace(runs, masks, "update");
    const after = await this.ask(prompts);
    const changes = runs.map((_, row) => p0 - after.probability(row, target));
    for (const [row, run] of runs.entries()) {
      const { scores } = this.probes[run];
      for (let i = 0; i < scores.length; i++) {
        scores[i] += evidence(masks[row][i] ? changes[row] : -changes[row], settings.update);
      }
    }
    const kept = runs.map((run) => largest(this.probes[run].scores, settings.keepTopN, settings.protect));
    const fill = kept.map((places) => settings.protect.map((stays, i) => !stays && !places.includes(i)));
    const filled = await this.replace(runs, fill, "stop");
    const suffices = await this.ask(filled);
    const stopped = runs.map((_, row) => step >= settings.minSteps && suffices.isAmongTop(row, target, settings.topK));
    for (const [row, run] of runs.entries()) {
      if (!stopped[row]) continue;
      this.probes[run].stoppedAt = step;
      this.probes[run].stopPrompt = filled[row];
    }
    this.changes.push(changes.reduce((a, b) => a + b, 0) / changes.length);
    this.activeAfter.push(runs.length - stopped.filter(Boolean).length);
    const scores = runs.map((run) => this.probes[run].scores.slice());
    const { maxSteps } = settings;
    return { step, maxSteps, runs, masks, replaced: prompts, changes, scores, kept, filled, stopped };
  }

  private drawMask(run: number): readonly boolean[] {
    const { protect, ratio } = this.settings;
    const given = this.options.masks?.(this.step, run);
    if (given === undefined) {
      const draws = this.probes[run].rng.uniform([this.ids.length], { dtype: "float64" }).data();
      return protect.map((stays, i) => !stays && draws[i] < ratio);
    }
    if (given.length !== this.ids.length) {
      throw new ValueError(`reagent: masks gave ${given.length} entries in step ${this.step}, not ${this.ids.length}`);
    }
    return protect.map((stays, i) => !stays && given[i]);
  }

  private replace(runs: readonly number[], masks: readonly (readonly boolean[])[], purpose: "update" | "stop") {
    const prompts = runs.map(() => this.ids);
    const rngs = runs.map((run) => this.probes[run].rng);
    return replaced(this.options.replacer, prompts, masks, rngs, { step: this.step, purpose, runs }, this.lm.vocabSize);
  }

  private ask(prompts: readonly Int32Array[]): Promise<NextToken> {
    this.forwardPasses += prompts.length;
    return NextToken.after(this.lm, prompts, `reagent: step ${this.step}`);
  }

  result(status: Attribution["status"]): Attribution {
    const { probes, ids, settings } = this;
    const shares = probes.map(({ scores }) => softmaxOf(scores));
    const stopped = probes.map(({ stoppedAt }) => stoppedAt !== null);
    const converged = stopped.some(Boolean);
    const counted = shares.filter((_, run) => !converged || stopped[run]);
    const importance = new Float64Array(ids.length);
    for (const share of counted) for (let i = 0; i < ids.length; i++) importance[i] += share[i] / counted.length;
    const perProbe = new Float64Array(probes.length * ids.length);
    for (const [run, share] of shares.entries()) perProbe.set(share, run * ids.length);
    return {
      importance,
      perProbe: tensor(perProbe, { shape: [probes.length, ids.length] }),
      rationale: this.rationale(),
      target: this.target,
      p0: this.p0,
      converged,
      status,
      steps: this.step,
      forwardPasses: this.forwardPasses,
      stopped,
      stoppedAt: probes.map(({ stoppedAt }) => stoppedAt),
      stopPrompts: probes.map(({ stopPrompt }) => stopPrompt),
      trivial: settings.keepTopN >= settings.protect.filter((stays) => !stays).length,
      history: { changes: [...this.changes], active: [...this.activeAfter] },
      state: this.state(),
    };
  }

  private rationale(): number[] {
    const { keepTopN, protect, overlapThreshold } = this.settings;
    const votes = new Array<number>(this.ids.length).fill(0);
    for (const { scores } of this.probes) for (const i of largest(scores, keepTopN, protect)) votes[i] += 1;
    return votes.flatMap((count, i) => (count >= overlapThreshold ? [i] : []));
  }

  private state(): ReagentState {
    const { probes } = this;
    return {
      ids: Array.from(this.ids),
      target: this.target,
      p0: this.p0,
      step: this.step,
      forwardPasses: this.forwardPasses,
      scores: probes.map(({ scores }) => Array.from(scores)),
      stoppedAt: probes.map(({ stoppedAt }) => stoppedAt),
      stopPrompts: probes.map(({ stopPrompt }) => (stopPrompt === null ? null : Array.from(stopPrompt))),
      rngs: probes.map(({ rng }) => rng.toJSON()),
      changes: [...this.changes],
      active: [...this.activeAfter],
    };
  }
}

function initialProbes(length: number, settings: Settings, options: ReagentOptions): Probe[] {
  const { probes, seed } = settings;
  const given =
    options.initialScores === undefined
      ? undefined
      : requireValues("reagent", "initialScores", options.initialScores, [probes, length]);
  return Array.from({ length: probes }, (_, run) => {
    const rng = random.rng(`${seed}/run/${run}`);
    const drawn = rng.uniform([length], { dtype: "float64" }).data();
    const scores = Float64Array.from(given === undefined ? drawn : given.subarray(run * length, (run + 1) * length));
    return { scores, rng, stoppedAt: null, stopPrompt: null };
  });
}
