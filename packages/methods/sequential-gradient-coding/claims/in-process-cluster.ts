import type { Answer, Cluster, Round, RoundContext, Team, TeamJob, TeamOptions } from "@offprint/cluster";
import { OffprintError, random } from "@offprint/tensor-core";

/** A round of members that run here, in turns. */
class HereRound<R> implements Round<R> {
  readonly number: number;
  readonly ending = new AbortController();
  private readonly ready: Answer<R>[] = [];
  private missing: number;
  private wake: (() => void) | undefined;

  constructor(number: number, missing: number) {
    this.number = number;
    this.missing = missing;
  }

  answered(answer: Answer<R>): void {
    if (this.ending.signal.aborted) return;
    this.missing -= 1;
    this.ready.push(answer);
    this.wake?.();
  }

  close(): void {
    this.ending.abort();
    this.wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Answer<R>> {
    while (!this.ending.signal.aborted) {
      const answer = this.ready.shift();
      if (answer !== undefined) yield answer;
      else if (this.missing === 0) return;
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }

  async all(): Promise<Answer<R>[]> {
    const answers: Answer<R>[] = [];
    for await (const answer of this) answers.push(answer);
    return answers.sort((a, b) => a.member - b.member);
  }
}

class JobFailure extends OffprintError {
  override readonly name = "JobError";
}

/** A cluster whose teams are functions of this program: for experiments in which nothing but the coding is looked at. */
export function inProcessCluster<I, A, R>(job: TeamJob<I, A, R>): Pick<Cluster, "team"> {
  const open = async ({ size, initial }: TeamOptions<I>): Promise<Team<A, R>> => {
    const contextOf = (worker: number, signal: AbortSignal): Omit<RoundContext, "round" | "shared"> => ({
      signal,
      worker: `worker ${worker}`,
      rng: random.rng(worker),
      aborted: () => signal.aborted,
      progress: () => undefined,
      get: () => Promise.reject(new JobFailure("nothing was put here")),
    });
    const { signal } = new AbortController();
    const numbers = Array.from({ length: size }, (_, worker) => worker);
    const members = await Promise.all(numbers.map((worker) => job(initial(worker), contextOf(worker, signal))));
    let rounds = 0;
    return {
      size,
      broadcast: () => Promise.reject(new JobFailure("members are told by their rounds")),
      round(args) {
        const given = numbers.map(args);
        const round = new HereRound<R>(rounds++, given.filter((each) => each !== undefined).length);
        for (const [member, asked] of given.entries()) {
          if (asked === undefined) continue;
          const worker = `worker ${member}`;
          const context = { ...contextOf(member, round.ending.signal), round: round.number };
          Promise.resolve(members[member](asked, { ...context, shared: () => undefined as never })).then(
            (value) => round.answered({ member, worker, value }),
            (error: Error) => round.answered({ member, worker, error: new JobFailure(error.message) }),
          );
        }
        return round;
      },
      close: async () => undefined,
    };
  };
  // A team of this one job, whatever it is called.
  return { team: (_, options) => open(options as TeamOptions<never>) as Promise<Team<never, never>> };
}
