import { FormatError, UnsupportedError } from "@offprint/tensor-core";
import { latin1 } from "./pickle.js";

/** A class or function of the file, by name. */
class PythonName {
  constructor(readonly name: string) {}
}

const MARK = Symbol("mark");

/** Names that stand for the few things that such files are made of. */
const kinds: Readonly<Record<string, string>> = {
  "numpy.core.multiarray _reconstruct": "reconstruct",
  "numpy._core.multiarray _reconstruct": "reconstruct",
  "numpy.core.multiarray scalar": "scalar",
  "numpy._core.multiarray scalar": "scalar",
  "numpy ndarray": "ndarray",
  "numpy dtype": "dtype",
  "scipy.sparse.csr csr_matrix": "csr_matrix",
  "scipy.sparse._csr csr_matrix": "csr_matrix",
  "collections defaultdict": "defaultdict",
  "__builtin__ list": "list",
  "builtins list": "list",
  "__builtin__ object": "object",
  "builtins object": "object",
  "copy_reg _reconstructor": "reconstructor",
  "copyreg _reconstructor": "reconstructor",
  "_codecs encode": "encode",
  "__builtin__ bytes": "bytes",
  "builtins bytes": "bytes",
};

/** A text argument; anything else would be written out, and a list of shared lists has no end of text. */
function textOf(argument: unknown): string {
  if (typeof argument !== "string") throw new FormatError("pickle: a call has no text where it needs one");
  return argument;
}

function call(f: unknown, args: readonly unknown[]): unknown {
  const kind = f instanceof PythonName ? f.name : "a value that is no function";
  switch (kind) {
    case "reconstruct":
    case "ndarray":
      return { kind: "ndarray" };
    case "reconstructor":
      return makesObject(args[0]);
    case "csr_matrix":
      return { kind };
    case "dtype":
      return { kind, code: textOf(args[0]).replace(/^[<>=|]/, "") };
    case "defaultdict":
      return new Map();
    case "list":
      return [];
    case "encode":
      return latin1(textOf(args[0]));
    case "bytes":
      return new Uint8Array(0);
    case "scalar":
      return numberOf(args);
    default:
      throw new UnsupportedError(`pickle: ${kind} cannot be called in such a file`);
  }
}

/** The new object of `copyreg._reconstructor`, a SciPy matrix: others are made by their own functions. */
function makesObject(type: unknown): unknown {
  if (type instanceof PythonName && type.name === "csr_matrix") return call(type, []);
  throw new UnsupportedError("pickle: only SciPy CSR matrices are made anew in such a file");
}

/** A NumPy scalar: its type and its bytes. */
function numberOf([dtype, content]: readonly unknown[]): number {
  const bytes = typeof content === "string" ? latin1(content) : content;
  if (!(bytes instanceof Uint8Array)) throw new FormatError("pickle: a scalar has no contents");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { code } = (dtype ?? {}) as { code?: string };
  if (code === "i8" && bytes.length === 8) return Number(view.getBigInt64(0, true));
  if (code === "i4" && bytes.length === 4) return view.getInt32(0, true);
  if (code === "f8" && bytes.length === 8) return view.getFloat64(0, true);
  throw new UnsupportedError(`pickle: scalars of type ${code} are not read`);
}

/** The stack machine of the pickle format. @see https://docs.python.org/3/library/pickletools.html */
export class PickleMachine {
  private readonly view: DataView;
  private at = 0;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  /** Bytes made of texts. */
  private made = 0;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Runs to the STOP instruction; the value it leaves. */
  run(): unknown {
    for (;;) {
      const start = this.at;
      const code = this.byte();
      if (code === 0x2e) return this.pop();
      const step = operations[code];
      if (step === undefined) this.fail(`instruction 0x${code.toString(16)} is not known`, start);
      step(this);
    }
  }

  fail(message: string, offset = this.at): never {
    throw new FormatError(`pickle: ${message} (at byte ${offset}); is it a pickle of protocol 0 to 3?`, { offset });
  }

  take(count: number): Uint8Array {
    if (!(count >= 0 && this.at + count <= this.bytes.length)) this.fail("the file ends too early; it is truncated");
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  byte(): number {
    return this.take(1)[0];
  }

  integer(width: 1 | 2 | 4, signed = false): number {
    this.take(width);
    const at = this.at - width;
    if (width === 1) return this.view.getUint8(at);
    if (width === 2) return this.view.getUint16(at, true);
    return signed ? this.view.getInt32(at, true) : this.view.getUint32(at, true);
  }

  /** A number written as text. */
  written(): number {
    const text = this.line();
    const infinite = /^([+-]?)inf$/.exec(text);
    if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
    const value = Number(text.replace(/L$/, ""));
    if (text === "" || (Number.isNaN(value) && text !== "nan")) this.fail(`"${text.slice(0, 40)}" is no number`);
    return value;
  }

  double(): number {
    this.take(8);
    return this.view.getFloat64(this.at - 8, false);
  }

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) this.fail("the file ends within a line; it is truncated");
    const text = text1(this.take(end - this.at));
    this.at++;
    return text;
  }

  push(value: unknown): void {
    this.stack.push(value);
  }

  pop(): unknown {
    if (this.stack.length === 0) this.fail("a value is missing");
    const value = this.stack.pop();
    if (value === MARK) this.fail("a value is missing");
    return value;
  }

  top(): unknown {
    if (this.stack.length === 0) this.fail("a value is missing");
    return this.stack[this.stack.length - 1];
  }

  mark(): void {
    this.stack.push(MARK);
  }

  /** The values above the last mark, which goes too. */
  sinceMark(): unknown[] {
    const place = this.stack.lastIndexOf(MARK);
    if (place < 0) this.fail("a mark is missing");
    const values = this.stack.splice(place);
    values.shift();
    return values;
  }

  remember(key: number): void {
    this.memo.set(key, this.top());
  }

  recall(key: number): void {
    if (!this.memo.has(key)) this.fail(`remembered value ${key} is missing`);
    this.stack.push(this.memo.get(key));
  }

  remembered(): number {
    return this.memo.size;
  }

  /** A class or function, if it is one of those that are allowed. */
  name(module: string, name: string): void {
    const kind = kinds[`${module} ${name}`];
    if (kind === undefined) {
      throw new UnsupportedError(
        `pickle: the file holds a ${module}.${name}; only numbers, texts, lists, dictionaries, NumPy arrays and SciPy ` +
          "CSR matrices are read",
      );
    }
    this.push(new PythonName(kind));
  }

  append(values: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list)) this.fail("values are appended to something that is no list");
    for (const value of values) list.push(value);
  }

  set(items: readonly unknown[]): void {
    const map = this.top();
    if (!(map instanceof Map)) this.fail("items are set in something that is no dictionary");
    for (let i = 0; i + 1 < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  build(): void {
    const state = this.pop();
    const object = this.top();
    if (typeof object !== "object" || object === null || !("kind" in object)) this.fail("a state has no owner");
    (object as { state?: unknown }).state = state;
  }

  /** Calls the function on the stack below its arguments. */
  reduce(): void {
    const args = this.pop();
    const f = this.pop();
    if (!Array.isArray(args)) this.fail("the arguments of a call are no tuple");
    const value = call(f, args);
    if (value instanceof Uint8Array) this.made += value.length;
    if (this.made > this.bytes.length) this.fail("its texts become more bytes than the file has");
    this.push(value);
  }
}

function text1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

const utf8 = new TextDecoder("utf-8");

/** More is beyond every number that a float64 holds. */
const LONGEST_INTEGER = 128;

/** A little-endian integer in two's complement. */
function long(m: PickleMachine, bytes: Uint8Array): number {
  if (bytes.length > LONGEST_INTEGER) m.fail(`an integer of ${bytes.length} bytes is too large`);
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  return Number(BigInt.asIntN(8 * bytes.length, value));
}

/** A text in quotes, as Python 2 writes it at protocol 0. */
function quoted(m: PickleMachine): string {
  const text = m.line();
  const inner = text.slice(1, -1);
  return inner.replace(/\\(x[0-9a-f]{2}|.)/g, (_, escape: string) => {
    if (escape[0] === "x") return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return ({ n: "\n", r: "\r", t: "\t" } as Record<string, string>)[escape] ?? escape;
  });
}

type Operation = (m: PickleMachine) => void;

/** Instructions by their codes. */
const operations: Readonly<Record<number, Operation>> = {
  128: (m) => {
    const protocol = m.byte();
    if (protocol > 3) m.fail(`the protocol is ${protocol}; write it with pickle.dump(..., protocol=2)`);
  },
  40: (m) => m.mark(),
  48: (m) => void m.pop(),
  49: (m) => void m.sinceMark(),
  50: (m) => m.push(m.top()),
  70: (m) => m.push(m.written()),
  73: (m) => {
    const word = m.line();
    if (!/^-?\d{1,400}$/.test(word)) m.fail(`"${word.slice(0, 40)}" is no integer`);
    m.push(word === "01" ? true : word === "00" ? false : Number(word));
  },
  74: (m) => m.push(m.integer(4, true)),
  75: (m) => m.push(m.integer(1)),
  76: (m) => m.push(m.written()),
  77: (m) => m.push(m.integer(2)),
  78: (m) => m.push(null),
  71: (m) => m.push(m.double()),
  83: (m) => m.push(quoted(m)),
  84: (m) => m.push(text1(m.take(m.integer(4)))),
  85: (m) => m.push(text1(m.take(m.integer(1)))),
  86: (m) => m.push(m.line()),
  88: (m) => m.push(utf8.decode(m.take(m.integer(4)))),
  66: (m) => m.push(m.take(m.integer(4))),
  67: (m) => m.push(m.take(m.integer(1))),
  138: (m) => m.push(long(m, m.take(m.integer(1)))),
  139: (m) => m.push(long(m, m.take(m.integer(4)))),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  41: (m) => m.push([]),
  93: (m) => m.push([]),
  125: (m) => m.push(new Map()),
  116: (m) => m.push(m.sinceMark()),
  108: (m) => m.push(m.sinceMark()),
  133: (m) => m.push([m.pop()]),
  134: (m) => {
    const b = m.pop();
    m.push([m.pop(), b]);
  },
  135: (m) => {
    const c = m.pop();
    const b = m.pop();
    m.push([m.pop(), b, c]);
  },
  97: (m) => {
    const value = m.pop();
    m.append([value]);
  },
  101: (m) => m.append(m.sinceMark()),
  115: (m) => {
    const value = m.pop();
    const key = m.pop();
    m.set([key, value]);
  },
  117: (m) => m.set(m.sinceMark()),
  100: (m) => {
    const items = m.sinceMark();
    m.push(new Map());
    m.set(items);
  },
  99: (m) => {
    const module = m.line();
    m.name(module, m.line());
  },
  82: (m) => m.reduce(),
  129: (m) => m.reduce(),
  98: (m) => m.build(),
  112: (m) => m.remember(Number(m.line())),
  113: (m) => m.remember(m.integer(1)),
  114: (m) => m.remember(m.integer(4)),
  103: (m) => m.recall(Number(m.line())),
  104: (m) => m.recall(m.integer(1)),
  106: (m) => m.recall(m.integer(4)),
};
