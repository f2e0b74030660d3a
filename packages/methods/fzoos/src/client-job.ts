import { tree, ValueError } from "@offprint/tensor-core";
import type { Client } from "./black-box.js";
import { answered } from "./client.js";
import type { ClientAnswer, ClientState, Question } from "./messages.js";

/** A client that lives in a thread or a process of its own. */
export interface RemoteClient extends Client {
  /**
   * Where it keeps its state, such as a file of its own: then its queries never leave it, and it goes on where it was
   * when its process is started anew. Without it the state is part of the run's, and a lost process ends the run.
   */
  readonly keep?: {
    /** The state that was last saved, or nothing. */
    readonly load: () => ClientState | undefined | Promise<ClientState | undefined>;
    /** Saves a state: a tree for `tree.toJson`. */
    readonly save: (state: ClientState) => void | Promise<void>;
  };
}

/**
 * A job of `@offprint/cluster` whose members are clients: each makes its black box from what it is given at the start,
 * and keeps its data. A package exports it and names it under `"offprint": { "jobs": { ... } }` in its package.json.
 *
 * @param make - Makes the client from its initial value: opens its data, loads its model.
 * @example
 * export const hospital = clientJob(async (folder: string) => {
 *   const records = await readRecords(folder);
 *   return { blackBox: (x) => errorRate(records, x) };
 * });
 * // const team = await cluster.team("my-jobs#hospital", { size: 3, initial: (i) => folders[i] });
 * // await fzoos({ clients: team, initial: start });
 */
export function clientJob<I>(
  make: (initial: I) => RemoteClient | Promise<RemoteClient>,
): (initial: I) => Promise<(question: Question) => Promise<ClientAnswer>> {
  if (typeof make !== "function") throw new ValueError(`clientJob: make is ${typeof make}; give a function`);
  return async (initial) => {
    const client = await make(initial);
    const { keep } = client;
    let state = await keep?.load();
    return async (question) => {
      if (question.kind === "restore") {
        // What it kept itself is never older.
        if (keep === undefined) state = question.state;
        return countsOf(state);
      }
      if (question.kind === "state") return { ...countsOf(state), state: keep === undefined ? (state ?? null) : null };
      // A first question that is asked again must not begin anew.
      if (question.kind === "begin" && state?.last.id === question.id && sameStart(state, question)) {
        return state.last.answer;
      }
      const outcome = await answered(client, "this client", state, question);
      state = outcome.state;
      await keep?.save(state);
      return outcome.answer;
    };
  };
}

function countsOf(state: ClientState | undefined): ClientAnswer {
  return { queries: state?.queries ?? 0, checks: state?.checks ?? 0 };
}

function sameStart({ settings }: ClientState, question: Question & { kind: "begin" }): boolean {
  return tree.toJson(settings) === tree.toJson(question.settings);
}
