import type { CommandInput, MethodCommand } from "@offprint/claims";
import { saveFile } from "@offprint/data/node";
import { AbortedError, ValueError } from "@offprint/tensor-core";
import { type Attribution, attributeGeneration, reagent } from "../src/index.js";
import { type AttributionReport, attributionPage, type ExplainedToken } from "./attribution-report.js";
import { type OpenedModels, openModels, TINY } from "./model-source.js";

const EXAMPLE =
  "when my flight landed in peru , i fell asleep . ( the lamp was old today ) . i stayed in the capital ,";

/** The command `offprint attribute --model DIR --replacer DIR --prompt "..."`. */
const attribute: MethodCommand = {
  name: "attribute",
  summary: "which prompt tokens made a language model say its next tokens: HTML heat map and JSON",
  arguments: [],
  options: [
    {
      name: "model",
      type: "string",
      default: TINY,
      description: "folder of a causal model (optimum's ONNX export, or GPT-2 as safetensors), or tiny",
    },
    {
      name: "replacer",
      type: "string",
      description:
        "folder of a masked model (optimum, fill-mask), or uniform, causal, part-of-speech; default causal, and the masked model of tiny",
    },
    { name: "prompt", type: "string", description: "text to go on from; default an example of the tiny model" },
    { name: "target", type: "string", description: "text whose first token is explained, in place of the model's own" },
    { name: "tokens", type: "number", default: 1, description: "tokens to generate and explain" },
    { name: "ratio", type: "number", default: 0.3, description: "share of the tokens that a step replaces, in (0, 1)" },
    { name: "top-k", type: "number", default: 3, description: "rank that the target must reach for a run to stop" },
    { name: "keep", type: "number", default: 5, description: "tokens that must suffice for a run to stop" },
    { name: "probes", type: "number", default: 5, description: "independent runs" },
    { name: "max-steps", type: "number", default: 300, description: "most steps of a run" },
    { name: "seed", type: "number", default: 0, description: "source of all randomness" },
    { name: "output", type: "string", default: "attribution.html", description: "file for the heat map (HTML)" },
    { name: "json", type: "string", description: "file for the numbers (JSON)" },
  ],
  run,
};

function settingsOf({ options }: CommandInput) {
  const number = (name: string): number => Number(options[name]);
  return {
    ratio: number("ratio"),
    topK: number("top-k"),
    keepTopN: number("keep"),
    probes: number("probes"),
    maxSteps: number("max-steps"),
    seed: number("seed"),
  };
}

async function run(input: CommandInput): Promise<void> {
  const { options, print } = input;
  const model = String(options.model ?? TINY);
  const replacer = String(options.replacer ?? (model === TINY ? TINY : "causal"));
  const prompt = options.prompt ?? (model === TINY ? EXAMPLE : undefined);
  if (prompt === undefined || prompt === "") throw new ValueError('--prompt is missing; give a text: --prompt "..."');
  const models = await openModels(input, model, replacer);
  try {
    const { ids, promptLength, found } = await explain(input, models, String(prompt));
    const tokens = Array.from(ids, (id) => ({ id, text: models.textOf(id) }));
    const explained = found.map((attribution): ExplainedToken => {
      const { target, p0, importance, rationale, converged, stoppedAt, forwardPasses } = attribution;
      const token = { id: target, text: models.textOf(target), probability: p0 };
      return { ...token, importance: Array.from(importance), rationale, converged, stoppedAt, forwardPasses };
    });
    const report: AttributionReport = { model, replacer, settings: settingsOf(input), tokens, promptLength, explained };
    for (const token of explained) print(line(report, token));
    await saveFile(String(options.output), attributionPage(report));
    print(`heat map: ${String(options.output)}`);
    if (options.json !== undefined) await saveFile(String(options.json), `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await models.release();
  }
}

async function explain(
  input: CommandInput,
  models: OpenedModels,
  prompt: string,
): Promise<{ ids: Int32Array; promptLength: number; found: Attribution[] }> {
  const { options, signal, onProgress } = input;
  const promptIds = models.encodePrompt(prompt);
  if (promptIds.length === 0) throw new ValueError("--prompt has no tokens; give a longer text");
  const count = options.target === undefined ? Number(options.tokens) : 1;
  const settings = settingsOf(input);
  const special = new Set(models.specialIds);
  const found: Attribution[] = [];
  const method = async (ids: Int32Array, target: number): Promise<Attribution> => {
    const attribution = await reagent(models.lm, ids, {
      ...settings,
      target,
      replacer: models.replacer,
      protect: Array.from(ids, (id) => special.has(id)),
      signal,
      onProgress: ({ step, maxSteps, runs }) =>
        onProgress(
          (found.length + step / maxSteps) / count,
          `token ${found.length + 1}, step ${step}, ${runs.length} runs`,
        ),
    });
    if (attribution.status === "aborted") throw new AbortedError("attribute: interrupted");
    found.push(attribution);
    return attribution;
  };
  if (options.target !== undefined) {
    const target = models.firstToken(String(options.target));
    if (target === undefined) throw new ValueError("--target has no tokens; give a word");
    await method(promptIds, target);
    return { ids: Int32Array.of(...promptIds, target), promptLength: promptIds.length, found };
  }
  const generation = { maxNewTokens: count, method, stopIds: models.specialIds, signal };
  const { ids, promptLength } = await attributeGeneration(models.lm, promptIds, generation);
  return { ids, promptLength, found };
}

/** One line: the token, and the three that matter most. */
function line({ tokens }: AttributionReport, { text, probability, importance, converged }: ExplainedToken): string {
  const order = importance.map((_, i) => i).sort((a, b) => importance[b] - importance[a]);
  const top = order.slice(0, 3).map((i) => `"${tokens[i].text.trim()}" ${(100 * importance[i]).toFixed(1)} %`);
  return `"${text.trim()}" (${probability.toFixed(3)}): ${top.join(", ")}${converged ? "" : " (no run stopped by itself)"}`;
}

/** Commands for `offprint`. */
export const commands: readonly MethodCommand[] = [attribute];
