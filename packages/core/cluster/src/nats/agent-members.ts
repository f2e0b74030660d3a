import type { NatsConnection } from "@nats-io/transport-node";
import { AbortedError } from "@offprint/tensor-core";
import { JobError, thrownData, WorkerLostError } from "../errors.js";
import type { JobTable } from "../job.js";
import { Thread, type ThreadSurroundings } from "../threads/thread.js";
import { say } from "./connection.js";
import type { MemberAnswer, MemberRequest } from "./messages.js";
import { carry, fetchCarried, type Streams } from "./streams.js";

/** Looks, one for each heartbeat, after which members end whose program was not heard of meanwhile. */
const orphaned = 30;

type RequestOf<K extends MemberRequest["kind"]> = Extract<MemberRequest, { kind: K }>;

interface HeldMember {
  readonly thread: Thread;
  /** The round that it answers, and how to stop it. */
  running: { readonly round: number; readonly controller: AbortController } | undefined;
  /** What it has answered last, for a program that did not hear it; nothing while it is made. */
  last: MemberAnswer | undefined;
}

interface HeldTeam {
  readonly members: Map<string, HeldMember>;
  shared: { readonly version: number; readonly frame: Uint8Array } | undefined;
  /** Values on their way: what comes later is looked at later. */
  sharing: Promise<unknown>;
  /** Looks since its program was heard. */
  silent: number;
}

/** The members of teams that a worker holds, each in a thread of its own. */
export class AgentMembers {
  private readonly teams = new Map<string, HeldTeam>();
  private readonly connection: NatsConnection;
  private readonly streams: Streams;
  private readonly table: JobTable;
  private readonly surroundings: ThreadSurroundings;
  private readonly prefix: string;
  private made = 0;

  constructor(
    connection: NatsConnection,
    streams: Streams,
    table: JobTable,
    surroundings: ThreadSurroundings,
    prefix: string,
  ) {
    this.connection = connection;
    this.streams = streams;
    this.table = table;
    this.surroundings = surroundings;
    this.prefix = prefix;
  }

  /** Number of members. */
  get size(): number {
    return [...this.teams.values()].reduce((sum, { members }) => sum + members.size, 0);
  }

  private answer(team: string, message: MemberAnswer): void {
    say(this.connection, this.streams.names.team(team), message);
  }

  private teamOf(id: string): HeldTeam {
    const found = this.teams.get(id);
    if (found !== undefined) return found;
    const made: HeldTeam = {
      members: new Map(),
      shared: undefined,
      sharing: Promise.resolve(),
      silent: 0,
    };
    this.teams.set(id, made);
    return made;
  }

  /** Does what a program says. */
  hear(request: MemberRequest): void {
    const { team: id, tag } = request;
    const team = this.teamOf(id);
    team.silent = 0;
    const member = team.members.get(tag);
    switch (request.kind) {
      case "share":
        team.sharing = team.sharing.then(() => this.share(team, request)).catch(() => undefined);
        return;
      case "open":
        if (member === undefined) void this.open(team, request);
        else if (member.last !== undefined) this.answer(id, member.last);
        return;
      case "leave":
        member?.thread.terminate();
        team.members.delete(tag);
        if (team.members.size === 0) this.teams.delete(id);
        return;
      case "stop":
        if (member?.running?.round === request.round) member.running.controller.abort();
        return;
      case "round":
        void team.sharing.then(() => this.round(team, request));
    }
  }

  private async share(team: HeldTeam, { version, value }: RequestOf<"share">): Promise<void> {
    if (version <= (team.shared?.version ?? 0)) return;
    const frame = await fetchCarried(this.streams, value);
    team.shared = { version, frame };
    for (const { thread } of team.members.values()) thread.share(frame);
  }

  private async open(team: HeldTeam, request: RequestOf<"open">): Promise<void> {
    const { team: id, tag, job, version, seed } = request;
    const entry = this.table.get(job);
    if (entry === undefined || entry.version !== version) {
      const message =
        entry === undefined
          ? `${this.prefix} has no package that declares ${job}`
          : `the program has ${job} in version ${version}, ${this.prefix} in ${entry.version}; install the same`;
      this.answer(id, { tag, kind: "gone", error: { type: "refused", message } });
      return;
    }
    const thread = new Thread(`${this.prefix}/member ${++this.made}`, this.surroundings);
    const member: HeldMember = { thread, running: undefined, last: undefined };
    team.members.set(tag, member);
    try {
      const initial = await fetchCarried(this.streams, request.initial);
      const { module, name } = entry;
      await thread.ask({ kind: "join", target: { module, name }, initial, seed });
      if (team.shared !== undefined) thread.share(team.shared.frame);
      member.last = { tag, kind: "opened" };
      this.answer(id, member.last);
    } catch (error) {
      this.drop(id, team, tag, error);
    }
  }

  private drop(id: string, team: HeldTeam, tag: string, error: unknown): void {
    team.members.get(tag)?.thread.terminate();
    team.members.delete(tag);
    this.answer(id, { tag, kind: "gone", error: memberError(error) });
  }

  private async round(team: HeldTeam, request: RequestOf<"round">): Promise<void> {
    const { team: id, tag, round, seed, shared } = request;
    const member = team.members.get(tag);
    if (member === undefined) {
      const error = {
        type: "lost",
        message: `${this.prefix} does not hold this member any more`,
        workers: [this.prefix],
      } as const;
      this.answer(id, { tag, kind: "gone", error });
      return;
    }
    const { last } = member;
    if (last !== undefined && "round" in last && last.round === round) {
      this.answer(id, last);
      return;
    }
    if (member.running?.round === round) return;
    if (shared > (team.shared?.version ?? 0)) {
      this.answer(id, { tag, kind: "unshared", round });
      return;
    }
    const controller = new AbortController();
    member.running = { round, controller };
    try {
      const args = await fetchCarried(this.streams, request.args);
      const question = { kind: "round", round, args, seed } as const;
      const frame = await member.thread.ask(question, { signal: controller.signal });
      const value = await carry(this.streams, frame, `team.${id}.answer.${tag}.${round}`);
      member.last = { tag, kind: "value", round, value };
    } catch (error) {
      if (!member.thread.alive) {
        this.drop(id, team, tag, error);
        return;
      }
      member.last = { tag, kind: "failed", round, error: memberError(error) };
    } finally {
      member.running = undefined;
    }
    this.answer(id, member.last);
  }

  /** Programs have said which teams they have. */
  seen(teams: readonly string[]): void {
    for (const id of teams) {
      const team = this.teams.get(id);
      if (team !== undefined) team.silent = 0;
    }
  }

  /** Looks for programs that are gone, and ends their members. */
  check(): void {
    for (const [id, team] of this.teams) {
      team.silent += 1;
      if (team.silent <= orphaned) continue;
      for (const { thread } of team.members.values()) thread.terminate();
      this.teams.delete(id);
    }
  }

  close(): void {
    for (const { members } of this.teams.values()) for (const { thread } of members.values()) thread.terminate();
    this.teams.clear();
  }
}

function memberError(error: unknown) {
  if (error instanceof JobError) {
    return { type: "job", kind: error.kind, message: error.message, stack: error.remoteStack } as const;
  }
  if (error instanceof WorkerLostError)
    return { type: "lost", message: error.message, workers: error.workers } as const;
  if (error instanceof AbortedError) return { type: "lost", message: error.message, workers: [] } as const;
  return thrownData(error);
}
