import type { Msg, NatsConnection, Subscription } from "@nats-io/transport-node";
import { decodeFrame } from "@offprint/tensor-core/internal";

/**
 * Hears what is said on a subject. Others may be allowed to speak there, too: what is no message of a cluster is left out,
 * and told. Thrown into the client it would end the connection for good.
 */
export function listenRaw(
  connection: NatsConnection,
  subject: string,
  hear: (message: Msg) => unknown,
  onLeftOut: (line: string) => void = () => undefined,
): Subscription {
  return connection.subscribe(subject, {
    callback(error, message) {
      if (error !== null) return;
      // It begins at once, so that messages keep their order.
      const heard = (async () => hear(message))();
      heard.catch(({ message: why }: Error) => onLeftOut(`left out a message on ${message.subject}: ${why}`));
    },
  });
}

/** The same for messages as frames; `hear` is given what they hold and their subject. */
export function listen<T>(
  connection: NatsConnection,
  subject: string,
  hear: (message: T, subject: string) => unknown,
  onLeftOut?: (line: string) => void,
): Subscription {
  return listenRaw(connection, subject, ({ data, subject: from }) => hear(decodeFrame<T>(data), from), onLeftOut);
}
