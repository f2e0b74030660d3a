import { Bytes } from "./bytes.js";
import { type Callee, FunctionWriter, typeCodes, type WasmType } from "./function-writer.js";

/** The global that holds the address of the module's arena. */
export const ARENA = 0;

interface Import extends Callee {
  readonly value: (...args: never[]) => unknown;
}

/** Writes a function that a module holds once, however often it is used. */
export interface SharedFunction extends Callee {
  (module: ModuleWriter, w: FunctionWriter): void;
}

/** Collects functions and imports and writes them as one WebAssembly module over a shared memory. */
export class ModuleWriter {
  private readonly imports: Import[] = [];
  private readonly sharedFunctions = new Map<string, FunctionWriter>();
  private readonly functions: { readonly writer: FunctionWriter; readonly name: string | undefined }[] = [];

  /** A JavaScript function that the module calls. */
  import(value: (...args: never[]) => unknown, parameters: readonly WasmType[], results: readonly WasmType[]): Callee {
    const known = this.imports.find((f) => f.value === value && same(f.parameters, parameters));
    if (known !== undefined) return known;
    const added = { value, parameters, results };
    this.imports.push(added);
    return added;
  }

  /** A function of the module itself, written where it is needed first. */
  shared(name: string, write: SharedFunction): Callee {
    const known = this.sharedFunctions.get(name);
    if (known !== undefined) return known;
    const writer = new FunctionWriter(write.parameters, write.results);
    this.sharedFunctions.set(name, writer);
    write(this, writer);
    this.add(writer);
    return writer;
  }

  /** Adds a function; one with a name is exported. */
  add(writer: FunctionWriter, name?: string): void {
    this.functions.push({ writer, name });
  }

  /** What the module is instantiated with, beside `memory` and the address of the arena. */
  importObject(memory: WebAssembly.Memory, arena: number): WebAssembly.Imports {
    return {
      m: { memory, arena },
      f: Object.fromEntries(this.imports.map(({ value }, i) => [String(i), value as WebAssembly.ImportValue])),
    };
  }

  /** The binary. */
  encode(): Uint8Array<ArrayBuffer> {
    const all: Callee[] = [...this.imports, ...this.functions.map((f) => f.writer)];
    const indices = new Map(all.map((callee, i) => [callee, i]));
    const types: Callee[] = [];
    const typeOf = (callee: Callee): number => {
      const known = types.findIndex((t) => same(t.parameters, callee.parameters) && same(t.results, callee.results));
      return known >= 0 ? known : types.push(callee) - 1;
    };
    const imports = new Bytes();
    imports.unsigned(this.imports.length + 2);
    imports.text("m");
    imports.text("memory");
    for (const byte of [0x02, 0x00, 0x01]) imports.byte(byte);
    imports.text("m");
    imports.text("arena");
    for (const byte of [0x03, typeCodes.i32, 0x00]) imports.byte(byte);
    this.imports.forEach((f, i) => {
      imports.text("f");
      imports.text(String(i));
      imports.byte(0x00);
      imports.unsigned(typeOf(f));
    });
    const declarations = list(this.functions, (out, { writer }) => out.unsigned(typeOf(writer)));
    const exported = this.functions.filter((f) => f.name !== undefined);
    const exports = list(exported, (out, { writer, name }) => {
      out.text(name as string);
      out.byte(0x00);
      out.unsigned(indices.get(writer) as number);
    });
    const codes = list(this.functions, (out, { writer }) => out.sized(functionBody(writer, indices)));
    const out = new Bytes();
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) out.byte(byte);
    const sections: [number, Bytes][] = [
      [1, list(types, writeType)],
      [2, imports],
      [3, declarations],
      [7, exports],
      [10, codes],
    ];
    for (const [id, content] of sections) {
      out.byte(id);
      out.sized(content);
    }
    return out.toArray();
  }
}

function same(a: readonly WasmType[], b: readonly WasmType[]): boolean {
  return a.length === b.length && a.every((type, i) => type === b[i]);
}

function list<T>(items: readonly T[], write: (out: Bytes, item: T) => void): Bytes {
  const out = new Bytes();
  out.unsigned(items.length);
  for (const item of items) write(out, item);
  return out;
}

function writeType(out: Bytes, { parameters, results }: Callee): void {
  out.byte(0x60);
  for (const types of [parameters, results]) {
    out.unsigned(types.length);
    for (const type of types) out.byte(typeCodes[type]);
  }
}

function functionBody(writer: FunctionWriter, indices: ReadonlyMap<Callee, number>): Bytes {
  for (const { at, callee } of writer.calls) writer.code.setPadded(at, indices.get(callee) as number);
  const runs: { type: WasmType; count: number }[] = [];
  for (const type of writer.locals) {
    const last = runs.at(-1);
    if (last?.type === type) last.count++;
    else runs.push({ type, count: 1 });
  }
  const body = list(runs, (out, { type, count }) => {
    out.unsigned(count);
    out.byte(typeCodes[type]);
  });
  body.append(writer.code);
  body.byte(0x0b);
  return body;
}
