import type { NatsConnectionOptions } from "@offprint/cluster";
import { Failure, option, type Values } from "@offprint/commands";

/** How a command says where the server of NATS is, and who it is. */
export const clusterOptions = {
  cluster: option.text("server of NATS that joins the machines: nats://127.0.0.1:4222, tls://host"),
  "cluster-name": option.text("name that programs and workers have in common", { default: "offprint" }),
  credentials: option.fileIn(
    "credentials for the server: a .creds file or the seed of an nkey; also OFFPRINT_NATS_TOKEN, OFFPRINT_NATS_USER",
  ),
  "tls-ca": option.fileIn("certificate of the authority that has signed the server's"),
  "tls-cert": option.fileIn("certificate that is shown to the server"),
  "tls-key": option.fileIn("key of that certificate"),
  insecure: option.flag("allow a server on another machine without both TLS and credentials"),
};

/** The connection that the options of a command mean. */
export function connectionOf(
  options: Values<typeof clusterOptions>,
  servers: string,
  manifest: string,
): NatsConnectionOptions {
  const { credentials: file, insecure } = options;
  const [ca, cert, key] = [options["tls-ca"], options["tls-cert"], options["tls-key"]];
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
  return {
    servers,
    manifest,
    name: options["cluster-name"],
    insecure,
    ...(file !== undefined && { credentials: { file } }),
    ...(Object.keys(tls).length > 0 && { tls }),
  };
}

/** Errors of connections, by name: `@offprint/cluster` is loaded only where it is used. */
const connectionErrors = ["ClusterConnectionError", "MissingDependencyError", "ValueError"];

/** What went wrong with a connection, as one line for the user. */
export function connectionFailure(error: unknown): unknown {
  const { name, message } = error as Error;
  return connectionErrors.includes(name) ? new Failure(message.replace(/^(cluster|joinCluster): /, "")) : error;
}
