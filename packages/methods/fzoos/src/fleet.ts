import { NonFiniteError, OffprintError, ValueError } from "@offprint/tensor-core";
import type { BlackBox, Client } from "./black-box.js";
import { answered } from "./client.js";
import type { ClientAnswer, ClientState, Question } from "./messages.js";

/** What one member of a team has answered. */
export interface TeamAnswer {
  /** The member's number. */
  readonly member: number;
  /** The answer, or nothing where there is an error. */
  readonly value?: ClientAnswer | undefined;
  /** What went wrong. */
  readonly error?: Error | undefined;
}

/**
 * Clients in threads, processes or on machines of their own: a `Team` of `@offprint/cluster` whose job is made by
 * `clientJob` is one.
 */
export interface ClientTeam {
  /** Number of clients. */
  readonly size: number;
  /** Asks every member once, but for those whose question is undefined. */
  round(args: (member: number) => Question | undefined): { all(): Promise<readonly TeamAnswer[]> };
}

/** What is known of the clients' states: nothing of those that are elsewhere. */
export type Members = readonly (ClientState | null)[];

/** @internal The clients, wherever they are. */
export interface Fleet {
  readonly size: number;
  /** Local steps that a question asks for: one where that costs nothing, else all of a round. */
  readonly stride: number;
  ask(
    members: Members,
    question: (client: number) => Question,
  ): Promise<{ readonly members: Members; readonly answers: readonly ClientAnswer[] }>;
  /** States to save; null for clients that keep theirs. */
  snapshot(members: Members): Promise<Members>;
  /** Gives clients that are elsewhere their saved states. */
  restore(members: Members): Promise<void>;
}

/** Losses of a member in a row that a question outlives. */
const LOSSES = 3;

/** @internal Clients of this process. */
export function ownFleet(clients: readonly (BlackBox | Client)[]): Fleet {
  const descriptions = clients.map((client) => (typeof client === "function" ? { blackBox: client } : client));
  return {
    size: clients.length,
    stride: 1,
    async ask(members, question) {
      const outcomes = await Promise.all(
        descriptions.map((client, i) => answered(client, nameOf(i), members[i] ?? undefined, question(i))),
      );
      return { members: outcomes.map(({ state }) => state), answers: outcomes.map(({ answer }) => answer) };
    },
    snapshot: async (members) => members,
    restore: async () => undefined,
  };
}

/** @internal Clients of a team: their states are theirs. */
export function teamFleet(team: ClientTeam): Fleet {
  const ask = async (question: (client: number) => Question): Promise<ClientAnswer[]> => {
    const answers: (ClientAnswer | undefined)[] = new Array(team.size).fill(undefined);
    for (let losses = 0; ; losses++) {
      const asked = await team.round((member) => (answers[member] === undefined ? question(member) : undefined)).all();
      for (const { member, value, error } of asked) {
        if (value !== undefined) answers[member] = value;
        else if (error?.name !== "WorkerLostError" || losses >= LOSSES) throw failure(member, error);
      }
      const missing = answers.indexOf(undefined);
      if (missing === -1) return answers as ClientAnswer[];
      if (losses >= LOSSES) throw failure(missing, undefined);
    }
  };
  return {
    size: team.size,
    stride: Infinity,
    ask: async (members, question) => ({ members, answers: await ask(question) }),
    async snapshot() {
      const answers = await ask(() => ({ kind: "state", id: -1 }));
      return answers.map(({ state }) => state ?? null);
    },
    async restore(members) {
      if (members.length !== team.size) return;
      const given = members.flatMap((state, member) => (state === null ? [] : [member]));
      if (given.length === 0) return;
      const restored = team.round((member) => {
        const state = members[member];
        return state === null ? undefined : { kind: "restore", id: -1, state };
      });
      for (const { member, error } of await restored.all()) if (error !== undefined) throw failure(member, error);
    },
  };
}

/** @internal How a client is called in messages. */
export function nameOf(client: number): string {
  return `client ${client}`;
}

/** An error of a member, with its class as far as it has travelled. */
function failure(member: number, error: Error | undefined): OffprintError {
  const text = error?.message ?? "it gave no answer";
  const message = text.includes("client") ? text : `${nameOf(member)}: ${text}`;
  const kind = (error as { kind?: string } | undefined)?.kind ?? error?.name;
  if (kind === "NonFiniteError") return new NonFiniteError(message, { cause: error });
  if (kind === "ValueError") return new ValueError(message, { cause: error });
  return error instanceof OffprintError ? error : new OffprintError(message, { cause: error });
}
