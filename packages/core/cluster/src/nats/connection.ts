import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Authenticator, NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { checkOptions, ValueError } from "@offprint/tensor-core";
import { encodeFrame } from "@offprint/tensor-core/internal";
import { requireDelay, requireFlag } from "../arguments.js";
import type { NatsConnectionOptions, NatsCredentials, NatsTls } from "../cluster.js";
import { ClusterConnectionError } from "../errors.js";
import type { NatsClients } from "./clients.js";

/** The names of the options of a connection, for `checkOptions`. */
export const connectionOptionNames = [
  "servers",
  "credentials",
  "tls",
  "insecure",
  "name",
  "connectTimeout",
  "manifest",
] as const;

interface Address {
  readonly host: string;
  readonly encrypted: boolean;
  /** What the client is given: no name, no password. */
  readonly shown: string;
}

function addressOf(text: string): Address {
  let url: URL;
  try {
    url = new URL(text.includes("://") ? text : `nats://${text}`);
  } catch {
    throw new ValueError("cluster: an address of servers is not one; write nats://host:4222 or tls://host:4222");
  }
  // The address itself is not shown: it may hold a password.
  if (url.username !== "" || url.password !== "") {
    throw new ValueError(
      "cluster: an address of servers holds a name or password, which would show in logs; give `credentials`, or set OFFPRINT_NATS_CREDENTIALS",
    );
  }
  if (url.protocol !== "nats:" && url.protocol !== "tls:") {
    throw new ValueError(`cluster: servers speak nats:// or tls://, not ${url.protocol}//`);
  }
  return { host: url.hostname, encrypted: url.protocol === "tls:", shown: url.host };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** The forms of {@link NatsCredentials}. */
const credentialForms = [["file"], ["token"], ["user", "password"]];

/** @throws ValueError, which shows none of them. */
function checkCredentials(owner: string, credentials: NatsCredentials | undefined): void {
  if (credentials === undefined) return;
  checkOptions(`${owner}: credentials`, credentials, credentialForms.flat());
  const given = Object.entries(credentials).filter(([, value]) => value !== undefined);
  const names = given.map(([name]) => name);
  const form = credentialForms.some(
    (each) => each.length === names.length && each.every((name) => names.includes(name)),
  );
  if (form && given.every(([, value]) => typeof value === "string" && value !== "")) return;
  throw new ValueError(
    `${owner}: credentials must be { file }, { token } or { user, password }, texts that are not empty`,
  );
}

function fromEnvironment(environment: NodeJS.ProcessEnv): NatsCredentials | undefined {
  const { OFFPRINT_NATS_CREDENTIALS: file, OFFPRINT_NATS_TOKEN: token } = environment;
  const { OFFPRINT_NATS_USER: user, OFFPRINT_NATS_PASSWORD: password } = environment;
  if (file) return { file };
  if (token) return { token };
  return user && password ? { user, password } : undefined;
}

function readText(path: string, what: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ClusterConnectionError(`cluster: ${what} ${path} cannot be read (${code})`);
  }
}

const nkeySeed = /\bSU[A-Z2-7]{56}\b/;

/** What stands in the names of a connection's answers, so that permissions can keep others from reading them. */
function identity(clients: NatsClients, credentials: NatsCredentials | undefined): string {
  if (credentials !== undefined && "user" in credentials) return credentials.user.replace(/[^\w-]/g, "-");
  if (credentials === undefined || !("file" in credentials)) return "any";
  const seed = nkeySeed.exec(readText(credentials.file, "the file of credentials"));
  return seed === null ? "any" : clients.nkeys.fromSeed(new TextEncoder().encode(seed[0])).getPublicKey();
}

function authenticator(clients: NatsClients, credentials: NatsCredentials): Authenticator {
  if ("token" in credentials) return clients.tokenAuthenticator(credentials.token);
  if ("user" in credentials) return clients.usernamePasswordAuthenticator(credentials.user, credentials.password);
  const text = readText(credentials.file, "the file of credentials");
  const bare = nkeySeed.exec(text)?.[0] === text.trim();
  const bytes = new TextEncoder().encode(bare ? text.trim() : text);
  return bare ? clients.nkeyAuthenticator(bytes) : clients.credsAuthenticator(bytes);
}

function certificates({ ca, cert, key }: NatsTls): NodeConnectionOptions["tls"] {
  return {
    ...(ca !== undefined && { ca: readText(ca, "the certificate") }),
    ...(cert !== undefined && { cert: readText(cert, "the certificate") }),
    ...(key !== undefined && { key: readText(key, "the key") }),
  };
}

/** Letters of a name of its own for a connection. */
export function ownLetters(): string {
  return randomBytes(4).toString("hex");
}

/**
 * Connects, and stays connected: a server that restarts is waited for.
 *
 * @throws ValueError where the options would send something in the clear; ClusterConnectionError where the server cannot
 * be reached, or refuses
 */
export async function connectNats(
  owner: string,
  clients: NatsClients,
  options: NatsConnectionOptions,
): Promise<{ connection: NatsConnection; name: string; timeout: number }> {
  const { insecure = false, connectTimeout = 5000, name = "offprint", tls } = options;
  if (!/^[\w-]{1,64}$/.test(name)) {
    throw new ValueError(`${owner}: name is ${JSON.stringify(name)}; it may have letters, digits, - and _, up to 64`);
  }
  requireDelay(owner, "connectTimeout", connectTimeout);
  // Taken for true, a text would send in the clear what it forbids.
  requireFlag(owner, "insecure", insecure);
  checkOptions(`${owner}: tls`, tls, ["ca", "cert", "key"]);
  checkCredentials(owner, options.credentials);
  const given = typeof options.servers === "string" ? [options.servers] : options.servers;
  if (!Array.isArray(given) || given.length === 0 || !given.every((each) => typeof each === "string")) {
    throw new ValueError(`${owner}: servers is missing; give an address, such as nats://127.0.0.1:4222`);
  }
  const addresses = given.map(addressOf);
  const credentials = options.credentials ?? fromEnvironment(process.env);
  const encrypted = tls !== undefined || addresses.some((address) => address.encrypted);
  const away = addresses.find(({ host }) => !isLoopback(host));
  if (away !== undefined && !insecure && !(encrypted && credentials !== undefined)) {
    const missing = [...(encrypted ? [] : ["TLS (a tls:// address)"]), ...(credentials ? [] : ["credentials"])];
    throw new ValueError(
      `${owner}: ${away.host} is another machine, and ${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} missing; ` +
        "`insecure: true` (of a command --insecure) allows it on a network that nobody else can reach",
    );
  }
  try {
    const connection = await clients.connect({
      servers: addresses.map(({ shown }) => shown),
      name: owner,
      timeout: connectTimeout,
      // A worker waits for its server as long as it takes.
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      inboxPrefix: `_INBOX_${name}.${identity(clients, credentials)}.${ownLetters()}`,
      ...(credentials !== undefined && { authenticator: authenticator(clients, credentials) }),
      // The scheme alone does not make the client insist on encryption.
      ...(encrypted && { tls: tls === undefined ? {} : certificates(tls)! }),
    });
    return { connection, name, timeout: connectTimeout };
  } catch (cause) {
    if (cause instanceof ClusterConnectionError) throw cause;
    const { name: kind, message, code } = cause as NodeJS.ErrnoException;
    const where = addresses.map(({ shown }) => shown).join(", ");
    const hint =
      kind === "AuthorizationError"
        ? "it refuses these credentials"
        : kind === "TimeoutError"
          ? `nothing that speaks NATS answered within ${connectTimeout} ms`
          : (code ?? message);
    throw new ClusterConnectionError(`${owner}: no connection to ${where}: ${hint}`, { cause });
  }
}

/** Says something to whoever listens; a connection that is being let go of says nothing more. */
export function say(connection: NatsConnection, subject: string, value: unknown): void {
  if (!connection.isClosed() && !connection.isDraining()) connection.publish(subject, encodeFrame(value, "cluster"));
}
