import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way to a server on this machine that can be cut. */
export class Relay {
  private readonly sockets = new Set<Socket>();
  private open = true;
  private readonly server = createServer((near) => {
    if (!this.open) {
      near.destroy();
      return;
    }
    const far = connect(this.port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from);
      from
        .on("error", () => undefined)
        .on("close", () => {
          this.sockets.delete(from);
          to.destroy();
        });
      from.pipe(to);
    }
  });

  private constructor(private readonly port: number) {}

  /** Opens one to a port. */
  static async start(port: number): Promise<Relay> {
    const relay = new Relay(port);
    relay.server.listen(0, "127.0.0.1");
    await once(relay.server, "listening");
    return relay;
  }

  /** What clients are given. */
  get address(): string {
    return `nats://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Ends all connections, and lets none through. */
  cut(): void {
    this.open = false;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Lets connections through again. */
  mend(): void {
    this.open = true;
  }

  /** Ends it. */
  async end(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }
}
