import { checkOptions, FormatError, requireObject, UnsupportedError, ValueError } from "@offprint/tensor-core";

/**
 * Bytes of the files beside a model that hold its weights, by the names that it calls them: `{ "model.onnx.data": bytes }`.
 * Or a function that gives the bytes of a name, nothing where there is no such file; it is called once for each.
 */
export type ExternalData = Readonly<Record<string, Uint8Array>> | ((file: string) => Uint8Array | undefined);

/** Options of {@link readOnnxGraph}. */
export interface OnnxReadOptions {
  /** Files with weights that lie beside the model. Default none: such a model is refused. */
  readonly externalData?: ExternalData;
}

/** The bytes of a file beside the model, or nothing. */
export type ExternalFiles = (file: string) => Uint8Array | undefined;

/** The files of the options, each asked for once. */
export function externalFiles(owner: string, options: OnnxReadOptions): ExternalFiles {
  checkOptions(owner, options, ["externalData"]);
  const { externalData = {} } = options;
  if (typeof externalData !== "function") {
    const wanted = "an object of files' bytes by their names, or a function of a name";
    requireObject(owner, "externalData", ArrayBuffer.isView(externalData) ? undefined : externalData, wanted);
  }
  const give =
    typeof externalData === "function"
      ? externalData
      : (file: string) => (Object.hasOwn(externalData, file) ? externalData[file] : undefined);
  const known = new Map<string, Uint8Array | undefined>();
  return (file) => {
    if (known.has(file)) return known.get(file);
    const bytes = give(file);
    if (bytes !== undefined && !(bytes instanceof Uint8Array)) {
      throw new ValueError(`${owner}: externalData has no bytes for "${file}"; give a Uint8Array of the whole file`);
    }
    known.set(file, bytes);
    return bytes;
  };
}

/** Where a constant's numbers are said to lie. */
export interface ExternalPlace {
  /** The constant for messages. */
  readonly where: string;
  /** Byte of the model at which it begins. */
  readonly at: number;
  /** Entries of its `external_data`. */
  readonly entries: ReadonlyMap<string, string>;
}

/**
 * The bytes of a constant in a file beside the model, a part of that file's memory. A checksum is passed over.
 *
 * @param size bytes that its shape needs
 * @throws UnsupportedError for a file that is not there; FormatError for a place that is not in it, or out of the model's
 * folder, or that holds more or less than `size`
 */
export function externalBytes({ where, at, entries }: ExternalPlace, size: number, files: ExternalFiles): Uint8Array {
  const refuse = (what: string) => new FormatError(`${where} ${what}`, { offset: at });
  const number = (name: string): number | undefined => {
    const text = entries.get(name);
    if (text === undefined) return undefined;
    if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
    throw refuse(`has the ${name} "${text}" in another file, which is no whole number; the model is damaged`);
  };
  const location = entries.get("location") ?? "";
  const parts = location.split(/[/\\]/);
  if (/^([/\\]|[a-z]:)/i.test(location) || parts.includes("..")) {
    throw refuse(`is in the file "${location}"; only files in the model's own folder are read`);
  }
  const file = parts.filter((part) => part !== "" && part !== ".").join("/");
  if (file === "") throw refuse("is in another file, which is not named; the model is damaged");
  const offset = number("offset") ?? 0;
  const length = number("length") ?? size;
  if (length !== size) {
    throw refuse(
      `has ${length} bytes in "${file}" and does not hold as many numbers as its shape needs (${size} bytes)`,
    );
  }
  const bytes = files(file);
  if (bytes === undefined) {
    throw new UnsupportedError(
      `${where} is in the file "${file}", which is not there; put it beside the model (in a program, give externalData: { "${file}": bytes }), or save the model with its weights inside`,
    );
  }
  if (offset + length > bytes.length) {
    throw refuse(
      `has the bytes ${offset} to ${offset + length} of "${file}", which has ${bytes.length}; that file is truncated or of another model`,
    );
  }
  return bytes.subarray(offset, offset + length);
}
