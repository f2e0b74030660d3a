import {
  type CommandInput,
  defineCommand,
  deviceOptions,
  type Options,
  option,
  seedOption,
  stateOptions,
} from "@offprint/commands";
import type { RunState } from "@offprint/solvers";
import { ValueError } from "@offprint/tensor-core";
import {
  type Attribution,
  attributeGeneration,
  type GenerationRecord,
  type GenerationState,
  type MethodRun,
  type ReagentRecord,
  reagent,
} from "../src/index.js";
import { type AttributionReport, attributionPage, type ExplainedToken } from "./attribution-report.js";
import { type OpenedModels, openModels, TINY } from "./model-source.js";

const EXAMPLE =
  "when my flight landed in peru , i fell asleep . ( the lamp was old today ) . i stayed in the capital ,";

const options = {
  model: option.fileIn(`folder of a causal model (optimum's ONNX export, or GPT-2 as safetensors), or ${TINY}`, {
    kind: "folder",
    words: [TINY],
    default: TINY,
    short: "m",
  }),
  replacer: option.fileIn(
    "folder of a masked model (optimum, fill-mask), or a way to draw tokens; default causal, and the masked model of tiny",
    { kind: "folder", words: [TINY, "uniform", "causal", "part-of-speech"] },
  ),
  prompt: option.text("text to go on from; default an example of the tiny model"),
  target: option.text(
    "text after the prompt, with the space that it begins with, whose first token is explained in place of the model's own",
  ),
  tokens: option.integer("tokens to generate and explain", { default: 1, least: 1 }),
  ratio: option.number("share of the tokens that a step replaces, in (0, 1)", { default: 0.3, above: 0, below: 1 }),
  topK: option.integer("rank that the target must reach for a run to stop", { default: 3, least: 1 }),
  keep: option.integer(
    "tokens that must suffice for a run to stop; default 5, and half of a prompt of fewer than ten",
    {
      least: 1,
    },
  ),
  probes: option.integer("independent runs", { default: 5, least: 1 }),
  maxIterations: option.integer("most steps of a run", { default: 300, least: 1, free: true }),
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
    const { options: chosen, print, write, refuse } = input;
    const { model } = chosen;
    if (chosen.target !== undefined) refuse(["tokens"], "--target names the one token that is explained");
    const replacer = chosen.replacer ?? (model === TINY ? TINY : "causal");
    const prompt = chosen.prompt ?? (model === TINY ? EXAMPLE : undefined);
    if (prompt === undefined || prompt === "") throw new ValueError('--prompt is missing; give a text: --prompt "..."');
    const models = await openModels(input, model, replacer);
    try {
      const { ids, promptLength, explained: found, settings } = await explain(input, models, prompt);
      const tokens = Array.from(ids, (id) => ({ id, text: models.textOf(id) }));
      const explained = found.map(
        ({ status: _, state: __, importance, ...token }, k): ExplainedToken => ({
          ...token,
          ...tokens[promptLength + k],
          importance: Array.from(importance),
        }),
      );
      const report: AttributionReport = { model, replacer, settings, tokens, promptLength, explained };
      for (const token of explained) print(line(report, token));
      await write(chosen.output, attributionPage(report));
      await write(chosen.json, `${JSON.stringify(report, null, 2)}\n`);
    } finally {
      await models.release();
    }
  },
});

/** What `reagent` is given, for a prompt of which so many tokens may be replaced. */
function settingsOf({ options, note }: Input, replaceable: number) {
  const { ratio, topK, probes, maxIterations, seed, keep } = options;
  const keepTopN = keep ?? Math.max(1, Math.min(5, Math.floor(replaceable / 2)));
  if (keepTopN >= replaceable) {
    note(`--keep ${keepTopN} covers the prompt: runs stop at once, and what they tell is chance; give a smaller one`);
  }
  return { ratio, topK, keepTopN, probes, maxIterations, seed };
}

/** What is kept of an attribution. */
interface FoundToken extends Omit<ExplainedToken, "id" | "text" | "importance"> {
  readonly importance: Float64Array;
  readonly status: Attribution["status"];
  readonly state?: Attribution["state"];
}

function kept({ status, state, ...found }: Attribution): FoundToken {
  const { p0: probability, importance, rationale, sufficient, stoppedAt, forwardPasses } = found;
  const reported = { probability, importance, rationale, sufficient, stoppedAt, forwardPasses, status };
  return status === "aborted" ? { ...reported, state } : reported;
}

async function explain(input: Input, models: OpenedModels, prompt: string) {
  const { options: chosen, longRun } = input;
  const promptIds = models.encodePrompt(prompt);
  if (promptIds.length === 0) throw new ValueError("--prompt has no tokens; give a longer text");
  const continuation = chosen.target === undefined ? undefined : firstToken(models, chosen.target);
  const count = continuation === undefined ? chosen.tokens : 1;
  const special = new Set(models.specialIds);
  const settings = settingsOf(input, promptIds.filter((id) => !special.has(id)).length);
  let done = 0;
  const run = await longRun<ReagentRecord, GenerationRun>({
    progress: ({ iteration, active }) => ({
      fraction: (done + iteration / chosen.maxIterations) / count,
      label: `token ${done + 1}, step ${iteration}, ${active} runs`,
    }),
  });
  const { onProgress, ...rest } = run.options;
  const result = await attributeGeneration(models.lm, promptIds, {
    ...rest,
    maxNewTokens: count,
    ...(continuation && { continuation }),
    stopIds: models.specialIds,
    method: async (ids: Int32Array, target, inner: MethodRun<Attribution["state"]>) => {
      done = ids.length - promptIds.length;
      const protect = Array.from(ids, (id) => special.has(id));
      const { replacer } = models;
      return kept(await reagent(models.lm, ids, { ...settings, target, replacer, protect, onProgress, ...inner }));
    },
  });
  await run.settle(result);
  return { ...result, settings };
}

/** What a state file holds. */
type GenerationRun = RunState<GenerationState<FoundToken, Attribution["state"]>, GenerationRecord>;

function firstToken(models: OpenedModels, text: string): Int32Array {
  const target = models.firstToken(text);
  if (target === undefined) throw new ValueError("--target has no tokens; give a word");
  return Int32Array.of(target);
}

/** One line: the token, and the three that matter most. */
function line({ tokens }: AttributionReport, { text, probability, importance, sufficient }: ExplainedToken): string {
  const order = importance.map((_, i) => i).sort((a, b) => importance[b]! - importance[a]!);
  const top = order.slice(0, 3).map((i) => `"${tokens[i]!.text.trim()}" ${(100 * importance[i]!).toFixed(1)} %`);
  return `"${text.trim()}" (${probability.toFixed(3)}): ${top.join(", ")}${sufficient ? "" : " (no run stopped by itself)"}`;
}
