import { checkOptions, type OffprintError, requireFunction, requireInteger, ValueError } from "@offprint/tensor-core";
import { decodeFrame, encodeFrame } from "@offprint/tensor-core/internal";
import { requireFlag, requireSignal } from "./arguments.js";
import { Ending } from "./ending.js";
import { WorkerLostError } from "./errors.js";
import { redeliveries } from "./threads/thread-pool.js";

/** How a team is made. */
export interface TeamOptions<I> {
  /** Number of members. */
  readonly size: number;
  /** What a member is made of; asked again when a member is made anew. */
  readonly initial: (member: number) => I;
  /** Seed of the members' `context.rng`. Default 0. */
  readonly seed?: number | string;
  /**
   * Whether a member that was lost, or did not end when its round was closed, is made anew from `initial`; its state is
   * lost with it. Default true.
   */
  readonly restart?: boolean;
}

/** What a member has answered. */
export type Answer<R> = {
  /** The member's number. */
  readonly member: number;
  /** The worker that holds it. */
  readonly worker: string;
} & ({ readonly value: R; readonly error?: undefined } | { readonly error: OffprintError; readonly value?: undefined });

/** Options of a round. */
export interface RoundOptions {
  /** Closes the round. */
  readonly signal?: AbortSignal;
}

/** A round under way: answers as they come. It ends when all have answered, or when it is closed. */
export interface Round<R> extends AsyncIterable<Answer<R>> {
  /** Its number, from 0. */
  readonly number: number;
  /** Tells all who have not answered to stop; what they may still answer is dropped. */
  close(): void;
  /** Waits for all, and gives the answers in the order of the members: sums are the same wherever they ran. */
  all(): Promise<Answer<R>[]>;
}

/** Workers with state. */
export interface Team<A, R> {
  /** Number of members. */
  readonly size: number;
  /** Gives all members a value, which `context.shared()` returns from the next round on. */
  broadcast(value: unknown): Promise<void>;
  /** Asks every member once; `args` may answer `undefined` for members that are left out. */
  round(args: (member: number) => A | undefined, options?: RoundOptions): Round<R>;
  /** Ends the members. */
  close(): Promise<void>;
}

/** A member, wherever it is. */
export interface MemberLink {
  readonly worker: string;
  /** Asks. @throws WorkerLostError where it is lost, AbortedError where the signal fires and it has ended */
  ask(args: Uint8Array<ArrayBuffer>, round: number, seed: string, signal: AbortSignal): Promise<Uint8Array>;
  share(frame: Uint8Array<ArrayBuffer>, version: number): Promise<void>;
  readonly alive: boolean;
  leave(): void;
}

/** Where the members of a team can be. */
export interface TeamHome {
  open(member: number, initial: Uint8Array<ArrayBuffer>, seed: string): Promise<MemberLink>;
  close(): Promise<void>;
}

interface Shared {
  readonly frame: Uint8Array<ArrayBuffer>;
  readonly version: number;
}

/** One member: its link, made anew when it is lost. */
class Place {
  private link: Promise<MemberLink> | undefined;
  private last: Promise<unknown> = Promise.resolve();
  private losses = 0;
  private left = false;
  private readonly open: () => Promise<MemberLink>;
  private readonly restart: boolean;
  private readonly lost: string[] = [];
  worker = "";

  constructor(open: () => Promise<MemberLink>, restart: boolean) {
    this.open = open;
    this.restart = restart;
  }

  /** The member; whoever asks first makes it. */
  ready(): Promise<MemberLink> {
    if (this.link !== undefined) return this.link;
    if (this.losses > 0 && (!this.restart || this.losses > redeliveries || this.left)) {
      const message = `a member of the team lost its worker ${this.losses} times (${this.lost.join(", ")})`;
      return Promise.reject(new WorkerLostError(message, this.lost));
    }
    const link = this.open().then((opened) => {
      this.worker = opened.worker;
      return opened;
    });
    this.link = link;
    link.catch(() => this.link === link && this.forget());
    return link;
  }

  private forget(): void {
    this.link = undefined;
    this.losses += 1;
    this.lost.push(this.worker || "a worker that did not come up");
  }

  /** One question after the other: what an earlier one has left is over before the next one is asked. */
  ask(args: Uint8Array<ArrayBuffer>, round: number, seed: string, signal: AbortSignal): Promise<Uint8Array> {
    const work = this.last.then(async () => {
      signal.throwIfAborted();
      const link = await this.ready();
      signal.throwIfAborted();
      try {
        const frame = await link.ask(args, round, seed, signal);
        this.losses = 0;
        return frame;
      } finally {
        if (!link.alive && !this.left) {
          this.forget();
          // A member that had to be stopped has not failed.
          if (signal.aborted && this.restart) this.losses = 0;
          // It is there again when the next round begins.
          if (this.restart && this.losses <= redeliveries) this.ready().catch(() => undefined);
        }
      }
    });
    this.last = work.catch(() => undefined);
    return work;
  }

  async share({ frame, version }: Shared): Promise<void> {
    const link = await this.link?.catch(() => undefined);
    await link?.share(frame, version).catch(() => undefined);
  }

  async leave(): Promise<void> {
    this.left = true;
    const link = await this.link?.catch(() => undefined);
    link?.leave();
  }
}

class OpenRound<R> implements Round<R> {
  readonly number: number;
  private readonly answers: Answer<R>[] = [];
  readonly ending = new Ending();
  private readonly asked: number;
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort = () => this.close();
  /** Resolves at the next answer, or when the round is closed: however many listen. */
  private news: Promise<void>;
  private tell: () => void = () => undefined;

  constructor(number: number, asked: number, signal: AbortSignal | undefined) {
    this.number = number;
    this.asked = asked;
    this.signal = signal;
    this.news = this.next();
    if (signal?.aborted) this.close();
    else if (asked > 0) signal?.addEventListener("abort", this.onAbort, { once: true });
  }

  private next(): Promise<void> {
    return new Promise((resolve) => {
      this.tell = resolve;
    });
  }

  private get complete(): boolean {
    return this.answers.length === this.asked;
  }

  answered(answer: Answer<R>): void {
    if (this.ending.ended) return;
    this.answers.push(answer);
    if (this.complete) this.signal?.removeEventListener("abort", this.onAbort);
    this.tell();
    this.news = this.next();
  }

  close(): void {
    this.signal?.removeEventListener("abort", this.onAbort);
    this.ending.end();
    this.tell();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Answer<R>> {
    try {
      for (let k = 0; !this.ending.ended; ) {
        const answer = this.answers[k];
        if (answer !== undefined) {
          k += 1;
          yield answer;
        } else if (this.complete) return;
        else await this.news;
      }
    } finally {
      if (!this.complete) this.close();
    }
  }

  async all(): Promise<Answer<R>[]> {
    const answers: Answer<R>[] = [];
    for await (const answer of this) answers.push(answer);
    return answers.sort((a, b) => a.member - b.member);
  }
}

/**
 * Makes a team.
 *
 * @throws whatever keeps one of its members from being made
 */
export async function openTeam<I, A, R>(home: TeamHome, options: TeamOptions<I>): Promise<Team<A, R>> {
  const owner = "cluster.team";
  checkOptions(owner, options, ["size", "initial", "seed", "restart"], ["size", "initial"]);
  const { size, initial, seed = 0, restart = true } = options;
  requireInteger(owner, "size", size, 1);
  if (typeof initial !== "function") {
    throw new ValueError(`${owner}: initial is ${typeof initial}; give a function of the member's number`);
  }
  requireFlag(owner, "restart", restart);
  let shared: Shared | undefined;
  let rounds = 0;
  const places = Array.from({ length: size }, (_, member) => {
    const open = async () => {
      const link = await home.open(member, encodeFrame(initial(member), "cluster"), `${seed}/member ${member}`);
      if (shared !== undefined) await link.share(shared.frame, shared.version);
      return link;
    };
    return new Place(open, restart);
  });
  const close = async () => {
    await Promise.all(places.map((place) => place.leave()));
    await home.close();
  };
  try {
    await Promise.all(places.map((place) => place.ready()));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    size,
    async broadcast(value) {
      const next = { frame: encodeFrame(value, "cluster"), version: (shared?.version ?? 0) + 1 };
      shared = next;
      await Promise.all(places.map((place) => place.share(next)));
    },
    round(args, roundOptions = {}) {
      checkOptions("team.round", roundOptions, ["signal"]);
      requireFunction("team.round", "args", args);
      requireSignal("team.round", roundOptions.signal);
      const number = rounds++;
      const frames = places.map((_, member) => {
        const given = args(member);
        return given === undefined ? undefined : encodeFrame(given, "cluster");
      });
      const asked = frames.filter((frame) => frame !== undefined).length;
      const round = new OpenRound<R>(number, asked, roundOptions.signal);
      frames.forEach((frame, member) => {
        if (frame === undefined) return;
        const place = places[member]!;
        const own = `${seed}/member ${member}/round ${number}`;
        round.ending
          .during((signal) => place.ask(frame, number, own, signal))
          .then(
            (value) => round.answered({ member, worker: place.worker, value: decodeFrame<R>(value) }),
            (error: OffprintError) => round.answered({ member, worker: place.worker, error }),
          );
      });
      return round;
    },
    close,
  };
}
