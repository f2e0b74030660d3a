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
  for (const { bytes, run } of damaged(name, file, runs)) {
    const attempt = new Attempt(name, run, bytes);
    try {
      attempt.during(() => read(bytes));
      count(report, run, attempt.read());
    } catch (error) {
      count(report, run, attempt.failed(error));
    }
  }
  return report;
}

/** A reader that may give a promise, and a file that it reads. */
export interface AsyncReaderCase extends Omit<ReaderCase, "read"> {
  /** What the reader makes of bytes; what it gives is not looked at. */
  readonly read: (bytes: Uint8Array) => Promise<unknown>;
}

/** {@link fuzzReader} for a reader that gives a promise. */
export async function fuzzAsyncReader({ name, read, file }: AsyncReaderCase, runs = RUNS): Promise<FuzzReport> {
  const report = { read: 0, refused: 0 };
  for (const { bytes, run } of damaged(name, file, runs)) {
    const attempt = new Attempt(name, run, bytes);
    try {
      await attempt.duringAll(() => read(bytes));
      count(report, run, attempt.read());
    } catch (error) {
      count(report, run, attempt.failed(error));
    }
  }
  return report;
}

/** The whole file as run -1, and then its damaged copies, each of which is left where the long form looks for it. */
function* damaged(name: string, file: Uint8Array, runs: number): Generator<{ bytes: Uint8Array; run: number }> {
  yield { bytes: file, run: WHOLE };
  const trace = FOLDER === undefined ? undefined : openTrace(FOLDER, name);
  let run = 0;
  for (const bytes of mutations(file, name, runs)) {
    if (trace !== undefined) ftruncateSync(trace, writeSync(trace, bytes, 0, bytes.length, 0));
    yield { bytes, run: run++ };
  }
  if (trace !== undefined) closeSync(trace);
}

/** The run that reads the file as it is. */
const WHOLE = -1;

function count(report: { read: number; refused: number }, run: number, outcome: "read" | "refused"): void {
  if (run !== WHOLE) report[outcome]++;
}

function openTrace(folder: string, name: string): number {
  mkdirSync(folder, { recursive: true });
  return openSync(join(folder, `${name.replace(/\W+/g, "-")}.bin`), "w");
}

/** One file being read, and what is said about it. */
class Attempt {
  private readonly memory: MemoryGuard;
  private readonly start = process.cpuUsage().user;

  constructor(
    private readonly name: string,
    private readonly run: number,
    private readonly bytes: Uint8Array,
  ) {
    this.memory = new MemoryGuard(mostMemory(bytes.length));
  }

  during(work: () => unknown): void {
    const leave = this.memory.enter();
    try {
      work();
    } finally {
      leave();
    }
  }

  async duringAll(work: () => Promise<unknown>): Promise<void> {
    const leave = this.memory.enter();
    try {
      await work();
    } finally {
      leave();
    }
  }

  read(): "read" {
    this.noteTime();
    return "read";
  }

  failed(error: unknown): "refused" {
    this.noteTime();
    const { name: kind, message, stack } = error as Error;
    if (error instanceof TooMuchMemory || (kind !== "FormatError" && kind !== "UnsupportedError")) {
      throw this.problem(stack ?? String(error), error);
    }
    if (this.run === WHOLE) throw new Error(`${this.name}: the whole file is not read`, { cause: error });
    if (message.length < 20) throw this.problem(`the message "${message}" says too little`, error);
    return "refused";
  }

  private noteTime(): void {
    const time = (process.cpuUsage().user - this.start) / 1000;
    if (FOLDER !== undefined && time > MOST_TIME) console.error(this.problem(`took ${time} ms`).message);
  }

  private problem(what: string, cause?: unknown): Error {
    const shown = Buffer.from(this.bytes.subarray(0, 3000)).toString("base64");
    return new Error(`${this.name}, damaged file ${this.run}: ${what}\n${this.bytes.length} bytes: ${shown}`, {
      cause,
    });
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

  /** Begins to count; what it gives ends it. */
  enter(): () => void {
    const place = globalThis as unknown as Record<string, unknown>;
    const true_ = guardedTypes.map((name) => place[name]);
    for (const name of guardedTypes) place[name] = this.guarded(place[name] as NumberArray);
    return () => {
      guardedTypes.forEach((name, i) => {
        place[name] = true_[i];
      });
    };
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
