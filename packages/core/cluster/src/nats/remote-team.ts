import type { NatsConnection, Subscription } from "@nats-io/transport-node";
import { AbortedError } from "@offprint/tensor-core";
import { JobRefusedError, revivedError, WorkerLostError } from "../errors.js";
import type { JobEntry } from "../job.js";
import { afterPatience } from "../patience.js";
import type { MemberLink, TeamHome } from "../team.js";
import { ownLetters, say } from "./connection.js";
import { listen } from "./listen.js";
import type { MemberAnswer, MemberRequest } from "./messages.js";
import { pause } from "./pause.js";
import type { Roster } from "./roster.js";
import { carry, fetchCarried, type Streams } from "./streams.js";

/** Time in which a worker that was told to stop a member must have done so, in milliseconds. */
const stopped = 3000;

interface Waiting {
  readonly request: MemberRequest;
  settle(error: Error | undefined, frame?: Uint8Array): void;
}

type Body<R> = R extends unknown ? Omit<R, "team" | "tag"> : never;

class RemoteMember implements MemberLink {
  readonly tag = ownLetters();
  readonly worker: string;
  alive = true;
  private waiting: Waiting | undefined;
  private readonly home: RemoteTeam;

  constructor(worker: string, home: RemoteTeam) {
    this.worker = worker;
    this.home = home;
  }

  private request(body: Body<MemberRequest>): MemberRequest {
    return { ...body, team: this.home.id, tag: this.tag } as MemberRequest;
  }

  /** Says something that is answered. */
  demand(body: Body<MemberRequest>): Promise<Uint8Array | undefined> {
    if (!this.alive) return Promise.reject(this.lost("it has gone before this round"));
    const request = this.request(body);
    return new Promise((resolve, reject) => {
      this.waiting = {
        request,
        settle: (error, frame) => {
          this.waiting = undefined;
          if (error !== undefined) reject(error);
          else resolve(frame);
        },
      };
      this.home.say(this.worker, request);
    });
  }

  /** The server was away: what may not have arrived is said again; a worker that has heard it answers again. */
  repeat(): void {
    if (!this.alive) this.leave();
    else if (this.waiting !== undefined) this.home.say(this.worker, this.waiting.request);
  }

  /** Counts as lost, whatever its worker still says; one that comes back is told to end it. */
  lose(reason: string): void {
    if (!this.alive) return;
    this.leave();
    this.waiting?.settle(this.lost(reason));
  }

  private lost(reason: string): WorkerLostError {
    return new WorkerLostError(`${this.worker} was lost: ${reason}`, [this.worker]);
  }

  async hear(answer: MemberAnswer): Promise<void> {
    const { waiting } = this;
    if (answer.kind === "gone") {
      this.alive = false;
      waiting?.settle(revivedError(answer.error));
      return;
    }
    if (waiting === undefined) return;
    const { request } = waiting;
    if (answer.kind === "opened") {
      if (request.kind === "open") waiting.settle(undefined);
      return;
    }
    // What belongs to an earlier round is late.
    if (request.kind !== "round" || request.round !== answer.round) return;
    if (answer.kind === "unshared") {
      await this.home.shareAgain(this.worker);
      this.repeat();
    } else if (answer.kind === "failed") waiting.settle(revivedError(answer.error));
    else {
      try {
        waiting.settle(undefined, await fetchCarried(this.home.streams, answer.value));
      } catch (error) {
        waiting.settle(error as Error);
      }
    }
  }

  async ask(args: Uint8Array<ArrayBuffer>, round: number, seed: string, signal: AbortSignal): Promise<Uint8Array> {
    const { home } = this;
    const carried = await home.carry(args, `args.${this.tag}.${round}`);
    let endPatience = () => {};
    const onAbort = () => {
      home.say(this.worker, this.request({ kind: "stop", round }));
      endPatience = afterPatience(stopped, () => this.lose("it did not stop when it was told to"));
    };
    const answered = this.demand({ kind: "round", round, args: carried, seed, shared: home.sharedVersion });
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    try {
      const frame = await answered;
      if (signal.aborted) throw new AbortedError("the round was closed");
      return frame!;
    } finally {
      endPatience();
      signal.removeEventListener("abort", onAbort);
    }
  }

  share(frame: Uint8Array<ArrayBuffer>, version: number): Promise<void> {
    return this.home.share(this.worker, frame, version);
  }

  leave(): void {
    this.alive = false;
    this.home.say(this.worker, this.request({ kind: "leave" }));
  }
}

/** A team whose members are on other machines. It speaks by messages that may be lost; tags tell what they belong to. */
export class RemoteTeam implements TeamHome {
  readonly id = ownLetters();
  readonly streams: Streams;
  private readonly connection: NatsConnection;
  private readonly roster: Roster;
  private readonly entry: JobEntry;
  private readonly members = new Map<string, RemoteMember>();
  private readonly subscription: Subscription;
  private readonly onClose: (team: RemoteTeam) => void;
  private readonly objects = new Set<string>();
  private shared: { readonly version: number; readonly request: Promise<MemberRequest> } | undefined;
  private readonly told = new Map<string, number>();
  private closed = false;

  constructor(
    connection: NatsConnection,
    streams: Streams,
    roster: Roster,
    entry: JobEntry,
    onClose: (team: RemoteTeam) => void,
  ) {
    this.connection = connection;
    this.streams = streams;
    this.roster = roster;
    this.entry = entry;
    this.onClose = onClose;
    this.subscription = listen<MemberAnswer>(connection, streams.names.team(this.id), (answer) =>
      this.members.get(answer.tag)?.hear(answer),
    );
  }

  say(agent: string, request: MemberRequest): void {
    say(this.connection, this.streams.names.agent(agent), request);
  }

  async carry(frame: Uint8Array, name: string) {
    const carried = await carry(this.streams, frame, `team.${this.id}.${name}`);
    if ("object" in carried) this.objects.add(carried.object);
    return carried;
  }

  get sharedVersion(): number {
    return this.shared?.version ?? 0;
  }

  /** Gives a worker what all members share, once a version. */
  async share(agent: string, frame: Uint8Array, version: number): Promise<void> {
    if (version > this.sharedVersion) {
      const request = this.carry(frame, `shared.${version}`).then(
        (value): MemberRequest => ({ kind: "share", team: this.id, tag: "", version, value }),
      );
      this.shared = { version, request };
    }
    if (this.told.get(agent) === version) return;
    this.told.set(agent, version);
    await this.shareAgain(agent);
  }

  async shareAgain(agent: string): Promise<void> {
    if (this.shared !== undefined) this.say(agent, await this.shared.request);
  }

  /** A worker that is there, knows the job, and holds the fewest members for its size. */
  private roomiest(): string | undefined {
    const { job, version } = this.entry;
    const refusal = this.roster.refusal(job, version);
    if (refusal !== undefined) throw new JobRefusedError(refusal);
    const members = [...this.members.values()].filter(({ alive }) => alive);
    const able = this.roster
      .present()
      .filter(({ versions }) => versions[job] === version)
      .map(({ agent, workers }) => ({
        agent,
        load: members.filter(({ worker }) => worker === agent).length / workers.length,
      }));
    return able.sort((a, b) => a.load - b.load)[0]?.agent;
  }

  /** A member at a worker, which nobody else counts as free meanwhile; waits for a worker. */
  private async place(): Promise<RemoteMember> {
    while (!this.closed) {
      const agent = this.roomiest();
      if (agent !== undefined) {
        const link = new RemoteMember(agent, this);
        this.members.set(link.tag, link);
        return link;
      }
      await pause(100);
    }
    throw new AbortedError("cluster.team: the team was closed");
  }

  async open(member: number, initial: Uint8Array<ArrayBuffer>, seed: string): Promise<MemberLink> {
    const carried = await this.carry(initial, `initial.${member}`);
    const link = await this.place();
    const { job, version } = this.entry;
    try {
      await link.demand({ kind: "open", job, version, initial: carried, seed });
    } catch (error) {
      this.members.delete(link.tag);
      throw error;
    }
    return link;
  }

  /** A worker has fallen silent. */
  lose(agent: string): void {
    this.told.delete(agent);
    for (const member of this.members.values()) if (member.worker === agent) member.lose("it has fallen silent");
  }

  /** The server is there again, for all or for one worker. */
  repeat(agent?: string): void {
    for (const member of this.members.values()) {
      if (agent === undefined || member.worker === agent) member.repeat();
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.onClose(this);
    for (const member of this.members.values()) member.lose("the team was closed");
    this.subscription.unsubscribe();
    if (this.connection.isClosed()) return;
    await Promise.allSettled([...this.objects].map((object) => this.streams.objects.delete(object)));
  }
}
