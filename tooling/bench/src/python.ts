import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Contender } from "./contender.js";

/** The cases of one Python script. */
export interface PythonPeers {
  /** The case of that name, set up once with these arguments (numbers, strings, lists of them). */
  peer(name: string, ...args: unknown[]): Contender;
}

/** Debian's Python carries the peers that its packages install. */
const interpreter = "/usr/bin/python3";

/** One thread, as ours has one; no settings that make a peer's library choose slower kernels than it would by itself. */
function environment(): NodeJS.ProcessEnv {
  const { OPENBLAS_CORETYPE: _core, OPENBLAS_L2_SIZE: _cache, ...rest } = process.env;
  const module = fileURLToPath(new URL("../python", import.meta.url));
  const threads = { OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
  return { ...rest, ...threads, PYTHONPATH: module, PYTHONDONTWRITEBYTECODE: "1" };
}

interface Answer {
  ready?: boolean;
  seconds?: number;
  error?: string;
}

/** A long-lived child that answers one line of JSON to each line of JSON. */
class Conversation {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: ((answer: Answer) => void)[] = [];
  readonly ready: Promise<Answer>;
  #complaint = "";

  constructor(script: string) {
    this.#child = spawn(interpreter, [script], { env: environment() });
    this.ready = this.#next();
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#answer(JSON.parse(line)));
    this.#child.stderr.on("data", (chunk) => {
      this.#complaint += chunk;
    });
    const ended = () => {
      const error = this.#complaint.trim().split("\n").at(-1) || `${interpreter} is not installed`;
      while (this.#waiting.length > 0) this.#answer({ error });
    };
    this.#child.on("error", ended);
    this.#child.on("close", ended);
    this.#child.stdin.on("error", () => {});
  }

  #next(): Promise<Answer> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #answer(answer: Answer): void {
    this.#waiting.shift()?.(answer);
  }

  ask(question: object): Promise<Answer> {
    const answer = this.#next();
    this.#child.stdin.write(`${JSON.stringify(question)}\n`);
    return answer;
  }
}

/**
 * Starts a Python script that serves timed work (see the README for its few lines). It runs until this process ends.
 *
 * @param script URL of the script, e.g. `new URL("numpy_peers.py", import.meta.url)`
 */
export function python(script: URL): PythonPeers {
  const conversation = new Conversation(fileURLToPath(script));
  return {
    peer: (name, ...args) => ({
      async absent() {
        const { error } = await conversation.ready;
        return error ?? (await conversation.ask({ case: name, args, loops: 1 })).error;
      },
      async time(loops) {
        const { seconds, error } = await conversation.ask({ case: name, args, loops });
        if (seconds === undefined) throw new Error(`The Python peer "${name}" failed: ${error}`);
        return seconds;
      },
    }),
  };
}
