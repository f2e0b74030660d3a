import { FormatError } from "./errors.js";
import { decodeTree, encodeTree } from "./tree-json.js";

/*
 * A tree as bytes, on its way or in a file: the words "OPF1", the length of a header in JSON, the header { tree, lengths },
 * and the raw bytes of its arrays, each beginning at a multiple of eight. Numbers in JSON would take ten times as long, and
 * the formats of runtimes (v8.deserialize, pickle) run or build what the bytes say.
 */

const MAGIC = 0x3146504f;
const PREFIX = 8;
const OWNER = "frame";

const aligned = (length: number) => (length + 7) & ~7;

/**
 * A tree of plain data, typed arrays and tensors as bytes in a buffer of their own; `owner` is named in errors.
 * @throws ValueError that names the place of what cannot be kept: functions, instances of classes, cycles.
 */
export function encodeFrame(value: unknown, owner = OWNER): Uint8Array<ArrayBuffer> {
  const sections: Uint8Array[] = [];
  const tree = encodeTree(value, {
    owner,
    keep: (bytes) => String(sections.push(bytes) - 1),
  });
  const header = new TextEncoder().encode(JSON.stringify({ tree, lengths: sections.map(({ length }) => length) }));
  const start = aligned(PREFIX + header.length);
  const frame = new Uint8Array(sections.reduce((end, { length }) => end + aligned(length), start));
  const view = new DataView(frame.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, header.length, true);
  frame.set(header, PREFIX);
  let at = start;
  for (const section of sections) {
    frame.set(section, at);
    at += aligned(section.length);
  }
  return frame;
}

interface Header {
  readonly tree: unknown;
  readonly lengths: readonly number[];
}

function damaged(what: string): FormatError {
  return new FormatError(`${OWNER}: what was given ${what}; it is damaged or comes from something else`);
}

/** Drops keys that would reach for the prototype of whatever an object is copied into. */
function withoutPrototypes(key: string, value: unknown): unknown {
  if (typeof value === "object" && value !== null && Object.hasOwn(value, "__proto__")) {
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== "__proto__"));
  }
  return key === "__proto__" ? undefined : value;
}

function readHeader(bytes: Uint8Array): { header: Header; start: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < PREFIX || view.getUint32(0, true) !== MAGIC) throw damaged("does not begin as a frame");
  const length = view.getUint32(4, true);
  if (PREFIX + length > bytes.length) throw damaged("is cut short");
  const text = new TextDecoder().decode(bytes.subarray(PREFIX, PREFIX + length));
  let header: Header;
  try {
    header = JSON.parse(text, text.includes("__proto__") ? withoutPrototypes : undefined);
  } catch (cause) {
    throw new FormatError(damaged("has a header that is not JSON").message, { cause });
  }
  const lengths = header?.lengths;
  if (!Array.isArray(lengths) || !lengths.every((n) => Number.isSafeInteger(n) && n >= 0)) {
    throw damaged("has no lengths");
  }
  const start = aligned(PREFIX + length);
  const end = lengths.reduce((sum, n) => sum + aligned(n), start);
  if (end !== bytes.length) {
    throw damaged(`holds ${bytes.length} bytes where ${end} are announced`);
  }
  return { header, start };
}

/**
 * The value of a frame. Its arrays are copies: the frame can be let go.
 * @throws FormatError where the bytes are no frame, are cut short, or say what nothing means.
 */
export function decodeFrame<T = unknown>(bytes: Uint8Array): T {
  const { header, start } = readHeader(bytes);
  const places: number[] = [];
  let at = start;
  for (const length of header.lengths) {
    places.push(at);
    at += aligned(length);
  }
  const take = (word: string) => {
    const place = places[Number(word)];
    if (place === undefined) throw damaged(`names array ${word}, which it does not have`);
    return new Uint8Array(bytes.subarray(place, place + header.lengths[Number(word)]!));
  };
  return decodeTree(header.tree, { owner: OWNER, take }) as T;
}
