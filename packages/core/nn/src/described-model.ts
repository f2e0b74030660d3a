import { readSafetensors } from "@offprint/data";
import { FormatError, type Rng, requireFunction, requireText } from "@offprint/tensor-core";
import { drawParameters, loadParameters, saveParameters } from "./parameter-file.js";

/** A model that its file describes, see {@link loadDescribed}. */
export interface DescribedModel<D, M, P> {
  /** What the file says of the model. */
  readonly description: D;
  /** What was made of the description. */
  readonly model: M;
  /** Its parameters. */
  readonly params: P;
}

/**
 * The bytes of a safetensors file with parameters and, in its header, the description that their model is made of again.
 * @param format marks the file, as `"offprint pi-hc-moe 1"`
 * @param description plain data, such as the options of the model
 */
export function saveDescribed(format: string, description: object, params: unknown): Uint8Array {
  requireText("saveDescribed", "format", format);
  return saveParameters(params, { format, description: JSON.stringify(description) });
}

/**
 * The model of a file that {@link saveDescribed} wrote. A file that describes more than it holds takes no memory.
 * @param make makes the model of a description, which may be anything: the file comes from elsewhere
 * @throws FormatError for other files, damaged ones, and descriptions of which `make` makes no model.
 * @example
 * const { model, params } = loadDescribed(bytes, "offprint my-net 1", (sizes: number[]) => mlp({ sizes }));
 */
export function loadDescribed<D, M extends { init(rng: Rng): P }, P = ReturnType<M["init"]>>(
  bytes: Uint8Array,
  format: string,
  make: (description: D) => M,
): DescribedModel<D, M, P> {
  requireText("loadDescribed", "format", format);
  requireFunction("loadDescribed", "make", make);
  const { metadata } = readSafetensors(bytes);
  if (metadata.format !== format) {
    throw new FormatError(
      `the file is not marked "${format}" but "${metadata.format ?? ""}"; give one that was saved so`,
    );
  }
  let description: D;
  let model: M;
  try {
    description = JSON.parse(metadata.description) as D;
    model = make(description);
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(`the file describes no model: ${(cause as Error).message}; it is damaged`, { cause });
  }
  const drawn = drawParameters(bytes, (rng) => model.init(rng));
  return { description, model, params: loadParameters(bytes, drawn) };
}
