import type { FunctionWriter } from "./function-writer.js";
import type { ModuleWriter } from "./module-writer.js";

/** A matrix product with all that is known of it: extents, and strides of rows and columns in bytes. */
export interface ProductShape {
  readonly dtype: "float32" | "float64";
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: readonly [row: number, column: number];
  readonly b: readonly [row: number, column: number];
  readonly c: readonly [row: number, column: number];
  /** Further axes of the rows of a and c, outside of the m rows. */
  readonly rows?: readonly { readonly count: number; readonly a: number; readonly c: number }[];
  /** The axes that the k terms run along, where these are several: strides in place of those of a's columns, b's rows. */
  readonly terms?: readonly { readonly count: number; readonly a: number; readonly b: number }[];
}

/** Larger factors are packed before they are read again and again. */
const CACHED_BYTES = 16384;

/**
 * The most rows that are computed together in panels of so many vectors. V8 loads all that a turn of a loop reads before
 * it computes: sums, vectors of b and elements of a of one term must fit the 15 registers that x64 leaves to
 * WebAssembly, and a turn that adds several terms would keep them in memory.
 */
function mostRows(vectors: number): number {
  return Math.floor((15 - vectors) / (vectors + 1));
}

/** Vectors of a panel: as many as few rows leave registers for, else two. */
function panelVectors({ m }: ProductShape): number {
  return m > 2 ? 2 : m === 2 ? 4 : 7;
}

/**
 * Whether the transposed product is quicker: rows of a are adjacent, where the few columns of b would leave lanes empty.
 */
export function wantsTransposing(shape: ProductShape): boolean {
  const { m, n, a } = shape;
  const size = elementBytes(shape);
  return n < 4 && n < m && (n * size) % 16 > 0 && a[0] === size && !usesDots(shape);
}

/** The transposed product, of the transposed factors in the other order. */
export function transposed({ dtype, m, n, k, a, b, c }: ProductShape): ProductShape {
  return { dtype, m: n, n: m, k, a: [b[1], b[0]], b: [a[1], a[0]], c: [c[1], c[0]] };
}

/** Locals of a product. */
interface Locals {
  readonly a: number;
  readonly c: number;
  readonly panel: number;
}

/** Writes `c = a b`: parameters are the addresses of a, b, c and of room for a packed panel. */
export function productFunction(shape: ProductShape) {
  return Object.assign((_: ModuleWriter, w: FunctionWriter) => new ProductWriter(w, shape).write(), {
    parameters: ["i32", "i32", "i32", "i32"] as const,
    results: [] as const,
  });
}

/** Bytes of the panel that a product packs, and of the table of where in a its terms are. */
export function scratchBytes(shape: ProductShape): number {
  return usesDots(shape) ? 0 : panelBytes(shape) + (shape.terms === undefined ? 0 : 4 * shape.k);
}

function panelBytes(shape: ProductShape): number {
  return shape.k * 16 * panelVectors(shape) + 32;
}

function elementBytes({ dtype }: ProductShape): number {
  return dtype === "float32" ? 4 : 8;
}

/** Whether rows of a and the column of b are adjacent, so that vectors run along the sums. */
function usesDots(shape: ProductShape): boolean {
  const { n, k, a, b, rows, terms } = shape;
  const size = elementBytes(shape);
  if (rows !== undefined || terms !== undefined) return false;
  return n === 1 && a[1] === size && b[0] === size && k * size >= 16;
}

/**
 * Writes a product of matrices of known extents. Vectors run along the columns of the result, in panels of some (fewer
 * for the last columns); several rows are computed together, so that each vector of b that is loaded is used often.
 */
class ProductWriter {
  private readonly size: number;
  private readonly lanes: "f32x4" | "f64x2";
  private readonly width: number;
  /** Where the table of a's terms is, where they run along several axes. */
  private table: number | undefined;

  constructor(
    private readonly w: FunctionWriter,
    private readonly shape: ProductShape,
  ) {
    this.size = elementBytes(shape);
    this.lanes = shape.dtype === "float32" ? "f32x4" : "f64x2";
    this.width = 16 / this.size;
  }

  write(): void {
    if (usesDots(this.shape)) {
      this.writeDots();
      return;
    }
    const { w, shape, width } = this;
    const { n, m, k, b, c } = shape;
    const [a0, b0, c0, scratch] = [0, 1, 2, 3];
    const columns = panelVectors(shape) * width;
    if (shape.terms !== undefined) this.writeTable(scratch);
    const direct = shape.terms === undefined && b[1] === this.size && (k * b[0] <= CACHED_BYTES || m <= 8);
    // Lanes past the last column hold whatever follows it, and are not stored.
    const writePanel = (count: number) => {
      const vectors = Math.ceil(count / width);
      if (!direct) this.pack(b0, scratch, count, vectors * width);
      const [panel, step] = direct ? [b0, b[0]] : [scratch, vectors * 16];
      this.writeRows({ a: a0, c: c0, panel }, vectors, step, count);
    };
    const full = Math.floor(n / columns);
    if (full > 0) {
      w.repeat(full, () => {
        writePanel(columns);
        w.advance(b0, columns * b[1]);
        w.advance(c0, columns * c[1]);
      });
    }
    if (n % columns > 0) writePanel(n % columns);
  }

  /** Writes where each term is in a, as bytes from the first one. */
  private writeTable(scratch: number): void {
    const { w, shape } = this;
    const { terms = [] } = shape;
    w.get(scratch);
    w.i32(panelBytes(shape));
    w.op("i32.add");
    this.table = w.keep("i32");
    w.get(this.table);
    const to = w.keep("i32");
    w.i32(0);
    const distance = w.keep("i32");
    const counts = terms.map(({ count }) => count);
    w.walk(counts, [{ pointer: distance, steps: terms.map(({ a }) => a) }], () => {
      w.get(to);
      w.get(distance);
      w.access("i32.store");
      w.advance(to, 4);
    });
  }

  /** Copies `count` columns of b side by side, filled up with zeros to `columns`. */
  private pack(b: number, panel: number, count: number, columns: number): void {
    const { w, shape, size } = this;
    const element = size === 4 ? "f32" : "f64";
    w.get(b);
    const from = w.keep("i32");
    w.get(panel);
    const to = w.keep("i32");
    const { terms = [{ count: shape.k, b: shape.b[0] }] } = shape;
    const steps = terms.map(({ b }) => b);
    w.walk(
      terms.map((axis) => axis.count),
      [{ pointer: from, steps }],
      () => {
        if (shape.b[1] === size && count === columns) {
          for (let at = 0; at < columns * size; at += 16) {
            w.get(to);
            w.get(from);
            w.access("v128.load", at);
            w.access("v128.store", at);
          }
        } else {
          for (let j = 0; j < columns; j++) {
            w.get(to);
            if (j >= count) w.constant(element, 0);
            else this.loadAt(`${element}.load`, from, j * shape.b[1]);
            w.access(`${element}.store`, j * size);
          }
        }
        w.advance(to, columns * size);
      },
    );
  }

  /** A load at a constant distance, which may be negative. */
  private loadAt(name: string, pointer: number, distance: number): void {
    const { w } = this;
    w.get(pointer);
    if (distance < 0) {
      w.i32(distance);
      w.op("i32.add");
    }
    w.access(name, Math.max(0, distance));
  }

  /** All rows of a panel of the result. */
  private writeRows({ a, c, panel }: Locals, vectors: number, step: number, columns: number): void {
    const { w, shape } = this;
    w.get(a);
    const rowA = w.keep("i32");
    w.get(c);
    const rowC = w.keep("i32");
    const { rows: outer = [] } = shape;
    const moves = [
      { pointer: rowA, steps: outer.map(({ a }) => a) },
      { pointer: rowC, steps: outer.map(({ c }) => c) },
    ];
    w.walk(
      outer.map(({ count }) => count),
      moves,
      () => {
        this.writeTiles(mostRows(vectors), (rows) => {
          this.writeTile({ a: rowA, c: rowC, panel }, rows, vectors, step, columns);
          w.advance(rowA, rows * shape.a[0]);
          w.advance(rowC, rows * shape.c[0]);
        });
        if (outer.length === 0) return;
        w.advance(rowA, -shape.m * shape.a[0]);
        w.advance(rowC, -shape.m * shape.c[0]);
      },
    );
  }

  /** Takes all rows, at most so many together, and about as many each time. */
  private writeTiles(most: number, tile: (rows: number) => void): void {
    const { w, shape } = this;
    const tiles = Math.ceil(shape.m / most);
    const [rows, longer] = [Math.floor(shape.m / tiles), shape.m % tiles];
    if (longer > 0) w.repeat(longer, () => tile(rows + 1));
    w.repeat(tiles - longer, () => tile(rows));
  }

  /** Some rows of a panel: the sums stay in locals. */
  private writeTile({ a, c, panel }: Locals, rows: number, vectors: number, step: number, columns: number): void {
    const { w, shape, lanes } = this;
    const sums = Array.from({ length: rows * vectors }, () => w.local("v128"));
    for (const sum of sums) {
      w.vector(lanes, 0);
      w.set(sum);
    }
    w.get(a);
    const left = w.keep("i32");
    w.get(panel);
    const right = w.keep("i32");
    if (this.table !== undefined) w.get(this.table);
    const distances = this.table === undefined ? undefined : w.keep("i32");
    const splat = this.size === 4 ? "v128.load32_splat" : "v128.load64_splat";
    w.repeat(shape.k, () => {
      const b = Array.from({ length: vectors }, (_, v) => {
        w.get(right);
        w.access("v128.load", 16 * v);
        return w.keep("v128");
      });
      if (distances !== undefined) {
        w.get(a);
        w.get(distances);
        w.access("i32.load");
        w.op("i32.add");
        w.set(left);
        w.advance(distances, 4);
      }
      for (let r = 0; r < rows; r++) {
        this.loadAt(splat, left, r * shape.a[0]);
        const x = w.keep("v128");
        for (let v = 0; v < vectors; v++) {
          const sum = sums[r * vectors + v];
          w.get(sum);
          w.get(x);
          w.get(b[v]);
          w.op(`${lanes}.mul`, `${lanes}.add`);
          w.set(sum);
        }
      }
      if (distances === undefined) w.advance(left, shape.a[1]);
      w.advance(right, step);
    });
    for (let r = 0; r < rows; r++) {
      for (let v = 0; v < vectors; v++) {
        const count = Math.min(this.width, columns - v * this.width);
        this.storeColumns(c, r * shape.c[0] + v * this.width * shape.c[1], sums[r * vectors + v], count);
      }
    }
  }

  /** Writes the first `count` elements of a vector. */
  private storeColumns(c: number, offset: number, vector: number, count: number): void {
    const { w, size, shape } = this;
    if (shape.c[1] === size) w.storeElements(c, vector, size, count, offset);
    else
      for (let lane = 0; lane < count; lane++) {
        w.get(c);
        w.get(vector);
        w.laneAccess(size === 4 ? "v128.store32_lane" : "v128.store64_lane", lane, offset + lane * shape.c[1]);
      }
  }

  /** A matrix times a vector: vectors run along the rows of the matrix, several rows together. */
  private writeDots(): void {
    const { w, shape } = this;
    this.writeTiles(mostRows(1), (rows) => {
      this.dots(rows);
      w.advance(0, rows * shape.a[0]);
      w.advance(2, rows * shape.c[0]);
    });
  }

  private dots(rows: number): void {
    const { w, shape, lanes, size, width } = this;
    const element = size === 4 ? "f32" : "f64";
    const sums = Array.from({ length: rows }, () => w.local("v128"));
    for (const sum of sums) {
      w.vector(lanes, 0);
      w.set(sum);
    }
    w.get(0);
    const left = w.keep("i32");
    w.get(1);
    const right = w.keep("i32");
    w.repeat(Math.floor(shape.k / width), () => {
      w.get(right);
      w.access("v128.load");
      const b = w.keep("v128");
      sums.forEach((sum, r) => {
        w.get(sum);
        this.loadAt("v128.load", left, r * shape.a[0]);
        w.get(b);
        w.op(`${lanes}.mul`, `${lanes}.add`);
        w.set(sum);
      });
      w.advance(left, 16);
      w.advance(right, 16);
    });
    sums.forEach((sum, r) => {
      w.get(2);
      for (let lane = 0; lane < width; lane++) {
        w.get(sum);
        w.lane(`${lanes}.extract_lane`, lane);
        if (lane > 0) w.op(`${element}.add`);
      }
      for (let p = 0; p < shape.k % width; p++) {
        this.loadAt(`${element}.load`, left, r * shape.a[0] + p * size);
        this.loadAt(`${element}.load`, right, p * size);
        w.op(`${element}.mul`, `${element}.add`);
      }
      w.access(`${element}.store`, r * shape.c[0]);
    });
  }
}
