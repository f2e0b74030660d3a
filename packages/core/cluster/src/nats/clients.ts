import { MissingDependencyError } from "@offprint/tensor-core";

type Transport = typeof import("@nats-io/transport-node");
type JetStream = typeof import("@nats-io/jetstream");
type Objects = typeof import("@nats-io/obj");

/** The official clients of NATS. */
export type NatsClients = Transport & JetStream & Pick<Objects, "Objm">;

/** The clients are CommonJS, of which a bundler may give everything as the default export. */
function named<M extends object>(module: M): M {
  return { ...(module as { default?: M }).default, ...module };
}

/**
 * Loads the clients, which only those install who use NATS.
 *
 * @throws MissingDependencyError that says how
 */
export async function loadClients(): Promise<NatsClients> {
  try {
    const [transport, jetstream, objects] = await Promise.all([
      import("@nats-io/transport-node"),
      import("@nats-io/jetstream"),
      import("@nats-io/obj"),
    ]);
    // Hashing in JavaScript takes most of the time of a large value; older clients know nothing else.
    (named(objects) as Partial<Objects>).setSha256Backend?.("native");
    return { ...named(transport), ...named(jetstream), Objm: named(objects).Objm };
  } catch (cause) {
    throw new MissingDependencyError(
      "cluster: the clients of NATS are not installed: npm install @nats-io/transport-node @nats-io/jetstream @nats-io/obj",
      { cause },
    );
  }
}
