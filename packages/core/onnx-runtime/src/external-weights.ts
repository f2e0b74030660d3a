import { checkExternalData, type ExternalFile, externalFileNames } from "@offprint/onnx-format/messages";
import { FormatError, UnsupportedError, ValueError } from "@offprint/tensor-core";
import { fileBeside } from "#binding";
import type { SessionSettings } from "./session/session.js";

/**
 * Looks at the files beside a model that hold its weights, before the engine does: it does not look at checksums, and says of a
 * truncated file that an index is out of bounds.
 *
 * @returns the files, where the engine must be given them
 * @throws UnsupportedError for a file that is not there; ValueError for one that cannot be read; FormatError for one that is too short
 * or of another checksum, and for a name out of the model's folder
 */
export async function weightsBeside(
  operation: string,
  bytes: Uint8Array,
  model: string | Uint8Array,
): Promise<Pick<SessionSettings, "externalData">> {
  const names = named(operation, () => externalFileNames(bytes));
  if (names.length === 0) return {};
  if (typeof model !== "string") {
    throw new UnsupportedError(
      `${operation}: weights are in the file "${names[0]}" beside the model; give the model's path, or save it with its weights inside`,
    );
  }
  const found = new Map(
    await Promise.all(names.map(async (name) => [name, await opened(operation, model, name)] as const)),
  );
  named(operation, () => checkExternalData(bytes, (name) => found.get(name)));
  const inMemory = Array.from(found, ([path, { bytes }]) =>
    bytes === undefined ? [] : [{ path, data: bytes }],
  ).flat();
  return inMemory.length === 0 ? {} : { externalData: inMemory };
}

async function opened(operation: string, model: string, name: string): Promise<ExternalFile> {
  const file = await fileBeside(model, name).catch((cause: unknown) => {
    throw new ValueError(`${operation}: the file "${name}" beside the model, which holds weights, cannot be read`, {
      cause,
    });
  });
  if (file !== undefined) return file;
  throw new UnsupportedError(
    `${operation}: weights are in the file "${name}", which is not there; put it beside the model, or save the model with its weights inside`,
  );
}

/** What the file is, in front of what is wrong with it. */
function named<R>(operation: string, look: () => R): R {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`${operation}: ${error.message}`, { offset: error.offset, cause: error });
  }
}
