import { sparse } from "@offprint/tensor-core";
import { decodeText } from "./byte-reader.js";
import { gunzip } from "./inflate.js";

/**
 * Reads a MatrixMarket file, plain or gzip-compressed: `sparse.parseMatrixMarket` of its text.
 * @throws FormatError for malformed or truncated files.
 */
export function readMatrixMarket(file: string | Uint8Array): sparse.MatrixMarketContent {
  return sparse.parseMatrixMarket(decodeText("MatrixMarket", typeof file === "string" ? file : gunzip(file)));
}

/** The bytes of a MatrixMarket file: `sparse.formatMatrixMarket` of the matrix. */
export function writeMatrixMarket(
  matrix: Parameters<typeof sparse.formatMatrixMarket>[0],
  options: sparse.MatrixMarketFormatOptions = {},
): Uint8Array {
  return new TextEncoder().encode(sparse.formatMatrixMarket(matrix, options));
}
