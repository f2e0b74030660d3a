import {
  type CommandInput,
  defineCommand,
  deviceOptions,
  type LongRun,
  type Options,
  option,
  seedOption,
  stateOptions,
} from "@offprint/commands";
import { ValueError } from "@offprint/tensor-core";
import { type Attribution, attributeGeneration, type ReagentState, reagent, type StepTrace } from "../src/index.js";
import { type AttributionReport, attributionPage, type ExplainedToken } from "./attribution-report.js";
import { type OpenedModels, openModels, TINY } from "./model-source.js";

const EXAMPLE =
  "when my flight landed in peru , i fell asleep . ( the lamp was old today ) . i stayed in the capital ,";

const options = {
  model: option.fileIn(`folder of a causal model (optimum's ONNX export, or GPT-2 as safetensors), or ${TINY}`, {
    kind: "folder",
    words: [TINY],
    default: TINY,
  }),
  replacer: option.fileIn(
    "folder of a masked model (optimum, fill-mask), or a way to draw tokens; default causal, and the masked model of tiny",
    { kind: "folder", words: [TINY, "uniform", "causal", "part-of-speech"] },
  ),
  prompt: option.text("text to go on from; default an example of the tiny model"),
  target: option.text("text whose first token is explained, in place of the model's own"),
  tokens: option.integer("tokens to generate and explain", { default: 1, least: 1 }),
  ratio: option.number("share of the tokens that a step replaces, in (0, 1)", { default: 0.3, above: 0, below: 1 }),
  topK: option.integer("rank that the target must reach for a run to stop", { default: 3, least: 1 }),
  keep: option.integer("tokens that must suffice for a run to stop", { default: 5, least: 1 }),
  probes: option.integer("independent runs", { default: 5, least: 1 }),
  maxSteps: option.integer("most steps of a run", { default: 300, least: 1, free: true }),
  ...seedOption,
  output: option.fileOut("file for the heat map (HTML)", { short: "o", default: "attribution.html" }),
  json: option.fileOut("file for the numbers (JSON)"),
  ...stateOptions,
  ...deviceOptions,
};

type Input = CommandInput<Options, typeof options>;

/** `offprint attribute-tokens --model DIR --replacer DIR --prompt "..."` */
export const attributeTokens = defineCommand({
  name: "attribute-tokens",
  summary: "Which prompt tokens made a language model say its next tokens: HTML heat map and JSON",
  options,
  async run(input) {
    const { options: chosen, print, write } = input;
    const { model } = chosen;
    const replacer = chosen.replacer ?? (model === TINY ? TINY : "causal");
    const prompt = chosen.prompt ?? (model === TINY ? EXAMPLE : undefined);
    if (prompt === undefined || prompt === "") throw new ValueError('--prompt is missing; give a text: --prompt "..."');
    const models = await openModels(input, model, replacer);
    try {
      const { ids, promptLength, found } = await explain(input, models, prompt);
      const tokens = Array.from(ids, (id) => ({ id, text: models.textOf(id) }));
      const explained = found.map(
        (token): ExplainedToken => ({ ...token, id: token.target, text: models.textOf(token.target) }),
      );
      const settings = settingsOf(chosen);
      const report: AttributionReport = { model, replacer, settings, tokens, promptLength, explained };
      for (const token of explained) print(line(report, token));
      await write(chosen.output, attributionPage(report));
      await write(chosen.json, `${JSON.stringify(report, null, 2)}\n`);
    } finally {
      await models.release();
    }
  },
});

function settingsOf({ ratio, topK, keep, probes, maxSteps, seed }: Input["options"]) {
  return { ratio, topK, keepTopN: keep, probes, maxSteps, seed };
}

/** What is kept of an attribution. */
interface FoundToken extends Omit<ExplainedToken, "id" | "text"> {
  readonly target: number;
}

/** Tokens that are explained, and where the next one stands. */
interface ExplanationState {
  readonly found: readonly FoundToken[];
  readonly next: ReagentState | null;
}

function kept({ target, p0, importance, rationale, converged, stoppedAt, forwardPasses }: Attribution): FoundToken {
  return {
    target,
    probability: p0,
    importance: Array.from(importance),
    rationale,
    converged,
    stoppedAt,
    forwardPasses,
  };
}

async function explain(
  { options: chosen, longRun }: Input,
  models: OpenedModels,
  prompt: string,
): Promise<{ ids: Int32Array; promptLength: number; found: readonly FoundToken[] }> {
  const promptIds = models.encodePrompt(prompt);
  if (promptIds.length === 0) throw new ValueError("--prompt has no tokens; give a longer text");
  const count = chosen.target === undefined ? chosen.tokens : 1;
  const found: FoundToken[] = [];
  const run = await longRun<StepTrace, ExplanationState>({
    progress: ({ step, maxSteps, runs }) => ({
      fraction: (found.length + step / maxSteps) / count,
      label: `token ${found.length + 1}, step ${step}, ${runs.length} runs`,
    }),
  });
  const method = async (ids: Int32Array, target: number) => {
    // Generation is greedy: a run that is resumed comes to the same tokens again.
    const known = run.options.resume?.found[found.length];
    if (known === undefined) found.push(await explained(models, ids, target, chosen, run, found));
    else found.push(known);
    return { importance: Float64Array.from(found.at(-1)!.importance) };
  };
  if (chosen.target !== undefined) {
    const target = models.firstToken(chosen.target);
    if (target === undefined) throw new ValueError("--target has no tokens; give a word");
    await method(promptIds, target);
    await run.settle({ status: "limit", state: { found, next: null } });
    return { ids: Int32Array.of(...promptIds, target), promptLength: promptIds.length, found };
  }
  const generation = { maxNewTokens: count, method, stopIds: models.specialIds };
  const { ids, promptLength } = await attributeGeneration(models.lm, promptIds, generation);
  await run.settle({ status: "limit", state: { found, next: null } });
  return { ids, promptLength, found };
}

async function explained(
  models: OpenedModels,
  ids: Int32Array,
  target: number,
  chosen: Input["options"],
  run: LongRun<StepTrace, ExplanationState>,
  before: readonly FoundToken[],
): Promise<FoundToken> {
  const special = new Set(models.specialIds);
  const { signal, onProgress, resume } = run.options;
  const next = resume?.found.length === before.length ? resume.next : null;
  const attribution = await reagent(models.lm, ids, {
    ...settingsOf(chosen),
    target,
    replacer: models.replacer,
    protect: Array.from(ids, (id) => special.has(id)),
    signal,
    onProgress,
    ...(next && { resume: next }),
  });
  const { status, state } = attribution;
  if (status === "aborted") await run.settle({ status, state: { found: before, next: state } });
  return kept(attribution);
}

/** One line: the token, and the three that matter most. */
function line({ tokens }: AttributionReport, { text, probability, importance, converged }: ExplainedToken): string {
  const order = importance.map((_, i) => i).sort((a, b) => importance[b]! - importance[a]!);
  const top = order.slice(0, 3).map((i) => `"${tokens[i]!.text.trim()}" ${(100 * importance[i]!).toFixed(1)} %`);
  return `"${text.trim()}" (${probability.toFixed(3)}): ${top.join(", ")}${converged ? "" : " (no run stopped by itself)"}`;
}
