import { FormatError, requireObject, ShapeError, type Tensor, UnsupportedError } from "@offprint/tensor-core";
import { findTensor, prefixed } from "./find-tensor.js";
import type { LoraProjection } from "./head.js";

/** What is given of an adapter in PEFT's format. */
export interface PeftAdapter {
  readonly adapter?: Readonly<Record<string, Tensor>>;
  readonly adapterConfig?: Readonly<Record<string, unknown>>;
  readonly alpha?: number;
  readonly scaling?: LoraProjection["scaling"];
  readonly prefix?: string;
}

/** The adapter of one module: A `[r, in]` and B `[out, r]`, as PEFT keeps them, and what scales their product. */
export interface ModuleAdapter extends Pick<LoraProjection, "alpha" | "scaling"> {
  readonly a: Tensor;
  readonly b: Tensor;
}

/**
 * The adapter of a module, or undefined where there is none.
 * @throws FormatError for one matrix of two, and for a configuration that is not of these tensors; UnsupportedError for anything of the module
 * that would be left out.
 */
export function moduleAdapter(
  owner: string,
  { adapter, adapterConfig, alpha, scaling, prefix = "" }: PeftAdapter,
  module: string,
): ModuleAdapter | undefined {
  if (adapter === undefined) return undefined;
  const names = ["lora_A", "lora_B"].map((name) => `${module}.${name}.weight`);
  refuseOthers(owner, adapter, prefixed(prefix, module), names);
  const [a, b] = names.map((name) => findTensor(owner, "adapter", adapter, name, prefix));
  if (a === undefined && b === undefined) return undefined;
  if (a === undefined || b === undefined) {
    throw new FormatError(
      `${owner}: the adapter lacks ${a === undefined ? names[0] : names[1]}; both matrices are needed`,
    );
  }
  for (const { name, tensor } of [a, b]) {
    if (tensor.rank === 2) continue;
    throw new ShapeError(`${owner}: ${name} of the adapter has shape [${tensor.shape}]; it must be a matrix`);
  }
  const of = a.name.slice(0, -".lora_A.weight".length).replace(/^base_model\.model\./, "");
  const configured = adapterConfig && scaleOf(owner, adapterConfig, of, a.tensor.shape[0]);
  const given = { ...configured, ...(alpha !== undefined && { alpha }), ...(scaling !== undefined && { scaling }) };
  return { a: a.tensor, b: b.tensor, ...given };
}

/** @throws UnsupportedError for magnitudes of DoRA, trained biases and whatever else stands beside the two matrices. */
function refuseOthers(owner: string, adapter: object, module: string, names: readonly string[]): void {
  for (const name of Object.keys(adapter)) {
    if (!`.${name}`.includes(`.${module}.`) || names.some((own) => `.${name}`.endsWith(`.${own}`))) continue;
    throw new UnsupportedError(
      name.includes(".lora_magnitude_vector")
        ? `${owner}: the adapter is one of DoRA (${name}), whose weight is no sum with B A; one of LoRA is needed`
        : `${owner}: the adapter holds ${name} beside the matrices of LoRA, which would be left out; merge it into the model, or take an ` +
            "adapter without it",
    );
  }
}

/** Ways to begin that leave the model's weights as they are; others, such as PiSSA's, take something out of them. */
const KEEPS_WEIGHTS: readonly unknown[] = [undefined, null, true, false, "gaussian", "eva", "orthogonal"];

/** @throws FormatError, UnsupportedError for what `adapter_config.json` says and this package does not do. */
export function checkAdapterConfig(owner: string, config: Readonly<Record<string, unknown>>): void {
  requireObject(owner, "adapterConfig", config, "the object that adapter_config.json holds");
  const type = config["peft_type"];
  const start = config["init_lora_weights"];
  const refused =
    type !== undefined && type !== "LORA"
      ? `is of ${String(type)}`
      : config["use_dora"] === true
        ? "is of DoRA, whose weight is no sum with B A"
        : ["lora_bias", "use_qalora", "layer_replication", "alora_invocation_tokens"]
            .filter((name) => config[name] !== undefined && config[name] !== null && config[name] !== false)
            .map((name) => `has ${name}`)[0];
  if (refused !== undefined) {
    throw new UnsupportedError(`${owner}: adapterConfig ${refused}; an adapter of plain LoRA is needed`);
  }
  if (!KEEPS_WEIGHTS.includes(start)) {
    throw new UnsupportedError(
      `${owner}: adapterConfig has init_lora_weights "${String(start)}", which changed the model's own weights; convert the adapter to plain LoRA`,
    );
  }
  const rslora = config["use_rslora"];
  if (rslora !== undefined && rslora !== null && typeof rslora !== "boolean") {
    throw new FormatError(`${owner}: use_rslora of adapterConfig is ${JSON.stringify(rslora)}; it must be a boolean`);
  }
}

/** alpha and its divisor for a module of that whole name. */
function scaleOf(
  owner: string,
  config: Readonly<Record<string, unknown>>,
  module: string,
  rank: number,
): Required<Pick<LoraProjection, "alpha" | "scaling">> {
  const alpha = numberFor(owner, config, "alpha_pattern", "lora_alpha", module);
  const expected = numberFor(owner, config, "rank_pattern", "r", module);
  if (expected !== rank) {
    throw new FormatError(
      `${owner}: adapterConfig says that ${module} has rank ${expected}, and its lora_A has ${rank} rows; give the configuration of this adapter`,
    );
  }
  return { alpha, scaling: config["use_rslora"] === true ? "rslora" : "lora" };
}

/** The number of the first pattern that the module's name ends with, or that of all modules. */
function numberFor(
  owner: string,
  config: Readonly<Record<string, unknown>>,
  patterns: string,
  general: string,
  module: string,
): number {
  const own = Object.entries(config[patterns] ?? {}).find(([pattern]) => matches(owner, patterns, pattern, module));
  const [name, value] = own === undefined ? [general, config[general]] : [`${patterns} "${own[0]}"`, own[1]];
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return value;
  throw new FormatError(`${owner}: ${name} of adapterConfig is ${JSON.stringify(value)}; it must be a number above 0`);
}

function matches(owner: string, patterns: string, pattern: string, module: string): boolean {
  try {
    return new RegExp(`^(?:.*\\.)?(?:${pattern})$`).test(module);
  } catch (cause) {
    throw new FormatError(`${owner}: ${patterns} of adapterConfig has "${pattern}", which is no regular expression`, {
      cause,
    });
  }
}
