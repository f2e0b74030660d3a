import {
  checkOptions,
  FormatError,
  requireObject,
  type Tensor,
  UnsupportedError,
  ValueError,
} from "@offprint/tensor-core";
import { type NpyWriteOptions, readNpy, writeNpy } from "./npy.js";
import { openZip, writeZip, type ZipArchive } from "./zip.js";

/**
 * Reads the arrays of an .npz archive that NumPy saved with `np.savez` or `np.savez_compressed`, by name.
 * @param names the arrays to read; default all. Others are not unpacked, and may be of types that are not supported.
 * @throws FormatError for damaged or truncated archives and missing names; UnsupportedError as `readNpy`.
 */
export function readNpz(bytes: Uint8Array, names?: readonly string[]): Record<string, Tensor> {
  const archive = openZip("npz", bytes);
  const files = arrayFiles(archive);
  const wanted = names ?? [...files.keys()];
  return Object.fromEntries(
    wanted.map((name) => {
      const file = files.get(name);
      const content = file === undefined ? undefined : archive.content(file);
      if (content === undefined) {
        throw new FormatError(
          `npz: there is no array ${name}; the archive holds ${[...files.keys()].join(", ") || "none"}`,
        );
      }
      return [name, named(name, () => readNpy(content))];
    }),
  );
}

/**
 * Names of the arrays of an .npz archive, in its order; none of them is unpacked.
 * @throws FormatError for damaged or truncated archives.
 */
export function npzNames(bytes: Uint8Array): string[] {
  return [...arrayFiles(openZip("npz", bytes)).keys()];
}

/** The files of the archive by the names of their arrays. */
function arrayFiles({ names }: ZipArchive): Map<string, string> {
  const files = new Map<string, string>();
  for (const file of names) {
    const name = file.replace(/\.npy$/, "");
    if (files.has(name)) throw new FormatError(`npz: two arrays have the name ${name}; rename one`);
    files.set(name, file);
  }
  return files;
}

/** Says in an error which array of the archive it is about. */
function named<R>(name: string, read: () => R): R {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) {
      throw new FormatError(`npz: array ${name}: ${error.message}`, { offset: error.offset, cause: error });
    }
    if (error instanceof UnsupportedError) throw new UnsupportedError(`npz: array ${name}: ${error.message}`);
    throw error;
  }
}

/** Options of `writeNpz`. */
export interface NpzWriteOptions extends NpyWriteOptions {
  /** Deflate the arrays, as `np.savez_compressed`; default true. */
  compress?: boolean;
}

/** The bytes of an .npz archive that `np.load` reads. Equal tensors give equal bytes. */
export function writeNpz(tensors: Readonly<Record<string, Tensor>>, options: NpzWriteOptions = {}): Uint8Array {
  requireObject("writeNpz", "tensors", tensors, "an object");
  checkOptions("writeNpz", options, ["compress", "floatType"]);
  const { compress = true, ...inside } = options;
  const files = Object.entries(tensors).map(([name, x]) => {
    if (name === "") throw new ValueError("writeNpz: an array has the empty name; name every array");
    return [`${name}.npy`, writeNpy(x, inside)] as const;
  });
  return writeZip(files, compress);
}
