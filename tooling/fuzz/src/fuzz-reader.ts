import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { mutations } from "./mutations.js";

/** A reader, and a file that it reads. */
export interface ReaderCase {
  /** Names the reader, and seeds the damage. */
  readonly name: string;
  /** What the reader makes of bytes; what it gives is not looked at. */
  readonly read: (bytes: Uint8Array) => unknown;
  /** A whole file. */
  readonly file: Uint8Array;
}

/** What became of the damaged files. */
export interface FuzzReport {
  /** Read as something. */
  readonly read: number;
  /** Refused by a typed error. */
  readonly refused: number;
}

/** Runs of a case in the suite; `npm run fuzz` asks for more. */
const RUNS = Number(process.env["OFFPRINT_FUZZ_RUNS"] ?? 300);
/** Where the long form leaves every file before it is read: what a reader never returns from is found there. */
const FOLDER = process.env["OFFPRINT_FUZZ_FOLDER"];
/** Milliseconds of the processor that one file may take, judged in the long form alone. */
const MOST_TIME = 2000;

/** Bytes that a reader may allocate for a file of so many. */
function mostMemory(size: number): number {
  return 2 ** 27 + 256 * size;
}

/**
 * Damages a file in many ways. Each time the reader must read something or refuse it by a FormatError or
 * UnsupportedError that says why, and allocate no more than a multiple of the file.
 * @throws Error with the damaged file in base64 for the first that does neither.
 */
export function fuzzReader({ name, read, file }: ReaderCase, runs = RUNS): FuzzReport {
  const report = { read: 0, refused: 0 };
  if (judge(name, -1, read, file) !== "read") throw new Error(`${name}: the whole file is not read`);
  const trace = FOLDER === undefined ? undefined : openTrace(FOLDER, name);
  let run = 0;
  for (const bytes of mutations(file, name, runs)) {
    if (trace !== undefined) ftruncateSync(trace, writeSync(trace, bytes, 0, bytes.length, 0));
    report[judge(name, run++, read, bytes)]++;
  }
  if (trace !== undefined) closeSync(trace);
  return report;
}

function openTrace(folder: string, name: string): number {
  mkdirSync(folder, { recursive: true });
  return openSync(join(folder, `${name.replace(/\W+/g, "-")}.bin`), "w");
}

function judge(name: string, run: number, read: ReaderCase["read"], bytes: Uint8Array): "read" | "refused" {
  const memory = new MemoryGuard(mostMemory(bytes.length));
  const start = process.cpuUsage().user;
  const problem = (what: string, cause?: unknown) => {
    const shown = Buffer.from(bytes.subarray(0, 3000)).toString("base64");
    return new Error(`${name}, damaged file ${run}: ${what}\n${bytes.length} bytes: ${shown}`, { cause });
  };
  try {
    memory.during(() => read(bytes));
    return "read";
  } catch (error) {
    const { name: kind, message, stack } = error as Error;
    if (error instanceof TooMuchMemory || (kind !== "FormatError" && kind !== "UnsupportedError")) {
      throw problem(stack ?? String(error), error);
    }
    if (message.length < 20) throw problem(`the message "${message}" says too little`, error);
    return "refused";
  } finally {
    const time = (process.cpuUsage().user - start) / 1000;
    if (FOLDER !== undefined && time > MOST_TIME) console.error(problem(`took ${time} ms`).message);
  }
}

class TooMuchMemory extends Error {
  override readonly name = "TooMuchMemory";
}

const guardedTypes = [
  "ArrayBuffer",
  "Uint8Array",
  "Int8Array",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
] as const;

/** Stands before the constructors of arrays of numbers, and counts what they are asked for. */
class MemoryGuard {
  private used = 0;

  constructor(private readonly limit: number) {}

  during(work: () => unknown): void {
    const place = globalThis as unknown as Record<string, unknown>;
    const true_ = guardedTypes.map((name) => place[name]);
    for (const name of guardedTypes) place[name] = this.guarded(place[name] as NumberArray);
    try {
      work();
    } finally {
      guardedTypes.forEach((name, i) => {
        place[name] = true_[i];
      });
    }
  }

  private guarded(constructor: NumberArray): NumberArray {
    return new Proxy(constructor, {
      construct: (target, args: unknown[], self) => {
        const [first] = args;
        const length = typeof first === "number" ? first : (first as ArrayLike<number> | undefined)?.length;
        this.used += (length ?? 0) * (target.BYTES_PER_ELEMENT ?? 1);
        if (this.used > this.limit) throw new TooMuchMemory(`${this.used} bytes are allocated`);
        return Reflect.construct(target, args, self === undefined ? target : self) as object;
      },
    });
  }
}

type NumberArray = { new (...args: never[]): object; readonly BYTES_PER_ELEMENT?: number };
