import { FormatError, sparse, type Tensor } from "@offprint/tensor-core";
import { npzNames, readNpz } from "./npz.js";
import { openZip } from "./zip.js";

/**
 * Reads a matrix that `scipy.sparse.save_npz` saved as csr, csc or coo.
 * @throws FormatError for other files, other formats, and entries outside the matrix.
 */
export function readSparseNpz(bytes: Uint8Array): sparse.CsrMatrix {
  const format = formatOf(bytes);
  const lists: Record<string, readonly [string, string]> = {
    csr: ["indptr", "indices"],
    csc: ["indptr", "indices"],
    coo: ["row", "col"],
  };
  if (!Object.hasOwn(lists, format)) {
    throw new FormatError(`sparse npz: the matrix is saved as ${format}; save it as csr, csc or coo`);
  }
  const [first, second] = lists[format];
  const arrays = readNpz(bytes, ["shape", "data", first, second]);
  const [rows, columns] = numbers(arrays.shape);
  const [a, b] = [numbers(arrays[first]), numbers(arrays[second])];
  try {
    const ends = format === "coo" ? [a, b] : [expanded(a, b.length), b];
    const [i, j] = format === "csc" ? [ends[1], ends[0]] : ends;
    return sparse.fromTriplets(rows, columns, i, j, numbers(arrays.data));
  } catch (error) {
    if (error instanceof FormatError) throw error;
    throw new FormatError(`sparse npz: ${(error as Error).message}`, { cause: error });
  }
}

/** Whether an archive is a sparse matrix of SciPy's rather than plain arrays. */
export function isSparseNpz(bytes: Uint8Array): boolean {
  const names = npzNames(bytes);
  return ["format", "shape", "data"].every((name) => names.includes(name));
}

/** The three letters of the format, which NumPy keeps as text: the last bytes of their file. */
function formatOf(bytes: Uint8Array): string {
  const content = openZip("npz", bytes).content("format.npy");
  if (content === undefined) {
    const there = npzNames(bytes).join(", ") || "none";
    throw new FormatError(
      `sparse npz: there is no array format; the archive holds ${there}. Save the matrix by scipy.sparse.save_npz`,
    );
  }
  return String.fromCharCode(...content.subarray(-12).filter((c) => c >= 97 && c <= 122)).slice(-3);
}

function numbers(x: Tensor): Float64Array {
  return Float64Array.from(x.data());
}

/** The number of its list for every entry. */
function expanded(indptr: Float64Array, entries: number): Int32Array {
  const out = new Int32Array(entries);
  if (indptr[0] !== 0 || indptr[indptr.length - 1] !== entries) {
    throw new FormatError(
      `sparse npz: indptr runs from ${indptr[0]} to ${indptr.at(-1)}; it must run from 0 to ${entries}`,
    );
  }
  for (let k = 0; k + 1 < indptr.length; k++) {
    if (indptr[k + 1] < indptr[k]) throw new FormatError(`sparse npz: indptr falls at ${k + 1}; it must not`);
    out.fill(k, indptr[k], indptr[k + 1]);
  }
  return out;
}
