import type { Consumer, JsMsg } from "@nats-io/jetstream";
import { pause } from "./pause.js";
import type { Streams } from "./streams.js";

/** Time that the server keeps a request for a job open, in milliseconds. */
const patience = 2000;
/** Time between two attempts to reach the server, in milliseconds. */
const again = 100;
/** Time between two signs of life of a job, in milliseconds. */
const heartbeat = 400;

/** A job that was handed out to this worker, which says that it is alive until it lets go of it. */
export class Delivery {
  /** The message. */
  readonly message: JsMsg;
  private readonly timer: ReturnType<typeof setInterval>;

  constructor(message: JsMsg) {
    this.message = message;
    // The clock of the delivery is in this thread, and the job in another.
    this.timer = setInterval(() => message.working(), heartbeat);
  }

  /** It is done, or of no use any more. */
  done(): void {
    clearInterval(this.timer);
    this.message.ack();
  }

  /** Another worker shall have it, once the requests of this one have run out. */
  giveBack(): void {
    clearInterval(this.timer);
    this.message.nak(again);
  }

  /** Its clock runs out at the server. */
  forget(): void {
    clearInterval(this.timer);
  }
}

/**
 * Requests for jobs: one job for each thread that is free. Several kinds have requests open side by side; what comes
 * when no thread is free any more waits for the next one.
 */
export class Pulls {
  private readonly streams: Streams;
  private readonly consumers = new Map<string, Promise<Consumer>>();
  private readonly open = new Map<string, number>();
  private readonly ready: Delivery[] = [];
  private readonly takers: ((delivery: Delivery | undefined) => void)[] = [];
  private kinds: readonly string[] = [];
  private closed = false;

  constructor(streams: Streams) {
    this.streams = streams;
  }

  /** What programs ask for now. */
  want(kinds: readonly string[]): void {
    this.kinds = kinds;
    this.request();
  }

  /** The next job; nothing when this is closed. */
  take(): Promise<Delivery | undefined> {
    const delivery = this.ready.shift();
    if (delivery !== undefined || this.closed) return Promise.resolve(delivery);
    return new Promise((resolve) => {
      this.takers.push(resolve);
      this.request();
    });
  }

  private request(): void {
    for (const kind of this.kinds) {
      for (let open = this.open.get(kind) ?? 0; open < this.takers.length; open++) {
        this.open.set(kind, open + 1);
        void this.pull(kind);
      }
    }
  }

  private async pull(kind: string): Promise<void> {
    let message: JsMsg | null = null;
    try {
      // `next` asks for one job; `consume` would fetch ahead, and idles for long after a restart of the server.
      message = await (await this.consumer(kind)).next({ expires: patience });
    } catch {
      this.consumers.delete(kind);
      await pause(again);
    }
    this.open.set(kind, this.open.get(kind)! - 1);
    if (message !== null) this.give(new Delivery(message));
    if (!this.closed) this.request();
  }

  private give(delivery: Delivery): void {
    const taker = this.takers.shift();
    if (taker !== undefined) taker(delivery);
    else if (this.closed) delivery.giveBack();
    else this.ready.push(delivery);
  }

  private consumer(kind: string): Promise<Consumer> {
    const known = this.consumers.get(kind);
    if (known !== undefined) return known;
    const opened = this.streams.client.consumers.get(this.streams.names.jobs, kind);
    this.consumers.set(kind, opened);
    return opened;
  }

  /** Asks for no more, and gives back what waits. */
  close(): void {
    this.closed = true;
    this.kinds = [];
    for (const delivery of this.ready.splice(0)) delivery.giveBack();
    for (const taker of this.takers.splice(0)) taker(undefined);
  }
}
