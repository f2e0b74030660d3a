import { ON_PLANE } from "../convex-polyhedron.js";

/** Coefficients of unit normals below this are taken as zero: they move a plane by less than rounding does. */
const SMALLEST = 2 ** -60;

/** Every coefficient times this is an integer. */
const INTEGER = 2 ** 113;

/** Above this times the largest offset, the sign of a product of vertex and plane in doubles is the right one. */
const CERTAIN = 2e-13;

type Integers = readonly [bigint, bigint, bigint, bigint];

/** A plane of the table, from one of its sides. */
export interface Side {
  /** Number of the plane. */
  readonly plane: number;
  /** 1 where the half-space is that in which the plane's value is <= 0, -1 for the other one. */
  readonly sign: 1 | -1;
}

const sorted = (a: number, b: number, c: number): [number, number, number] => {
  const low = Math.min(a, b, c);
  const high = Math.max(a, b, c);
  return [low, a + b + c - low - high, high];
};

/**
 * Planes, and the points where three of them meet, with exact answers: which side of a plane a point is on is decided in
 * doubles where their error cannot matter, and else in integers. A point is known by its planes and never rounded, so
 * that whatever is cut by planes fits together.
 *
 * Planes nearer to each other than 1e-9 are one.
 */
export class ExactPlanes {
  /** Unit normal and offset, four numbers per plane. */
  private readonly rows: number[] = [];
  private readonly integers: (Integers | undefined)[] = [];
  /** The planes of each vertex, three numbers each. */
  private readonly triples: number[] = [];
  /** Homogeneous coordinates in doubles, the last one positive: four numbers per vertex. */
  private readonly points: number[] = [];
  private readonly exactPoints: (Integers | undefined)[] = [];
  private readonly places: (readonly [number, number, number] | undefined)[] = [];
  private readonly vertexOf = new Map<string, number>();
  private largestOffset = 1;

  /** Number of vertices made. */
  get vertices(): number {
    return this.points.length / 4;
  }

  /** Normal and offset of a plane. */
  coefficients(plane: number): readonly number[] {
    return this.rows.slice(4 * plane, 4 * plane + 4);
  }

  /** Puts the half-space `a x + b y + c z + d <= 0`, with unit normal, into the table. */
  halfspace(given: ArrayLike<number>): Side {
    const row = [0, 1, 2, 3].map((i) => (Math.abs(given[i]) < SMALLEST ? 0 : given[i]));
    const { rows } = this;
    for (let j = 0; j < rows.length; j += 4) {
      for (const sign of [1, -1] as const) {
        let k = 0;
        while (k < 4 && Math.abs(rows[j + k] - sign * row[k]) <= ON_PLANE) k++;
        if (k === 4) return { plane: j / 4, sign };
      }
    }
    rows.push(...row);
    this.largestOffset = Math.max(this.largestOffset, Math.abs(row[3]));
    return { plane: rows.length / 4 - 1, sign: 1 };
  }

  /** The point where three planes meet, which they must do in one. */
  vertex(p: number, q: number, r: number): number {
    const [a, b, c] = sorted(p, q, r);
    const key = `${a},${b},${c}`;
    const known = this.vertexOf.get(key);
    if (known !== undefined) return known;
    const v = this.vertices;
    this.vertexOf.set(key, v);
    this.triples.push(a, b, c);
    const point = meeting(this.row(a), this.row(b), this.row(c));
    this.points.push(...point);
    const side = Math.abs(point[3]) > CERTAIN ? Math.sign(point[3]) : signOf(this.exactMeeting(v)[3]);
    if (side < 0) for (let i = 4 * v; i < 4 * v + 4; i++) this.points[i] = -this.points[i];
    return v;
  }

  /** -1, 0 or 1: whether a plane's value at a vertex is negative, zero or positive. */
  side(plane: number, vertex: number): -1 | 0 | 1 {
    const { rows, points, triples } = this;
    const t = 3 * vertex;
    if (triples[t] === plane || triples[t + 1] === plane || triples[t + 2] === plane) return 0;
    const [j, k] = [4 * plane, 4 * vertex];
    const value =
      rows[j] * points[k] + rows[j + 1] * points[k + 1] + rows[j + 2] * points[k + 2] + rows[j + 3] * points[k + 3];
    if (Math.abs(value) > CERTAIN * this.largestOffset) return value > 0 ? 1 : -1;
    const [a, b, c, d] = this.exactRow(plane);
    const [x, y, z, w] = this.exactPoint(vertex);
    return signOf(a * x + b * y + c * z + d * w);
  }

  /** Coordinates of a vertex, each right to the last digit. */
  place(vertex: number): readonly [number, number, number] {
    let place = this.places[vertex];
    if (place === undefined) {
      const [x, y, z, w] = this.exactPoint(vertex);
      const divisor = Number(w);
      place = [Number(x) / divisor, Number(y) / divisor, Number(z) / divisor];
      this.places[vertex] = place;
    }
    return place;
  }

  /** Coordinates of a vertex to about 1e-10, at once. */
  nearby(vertex: number): readonly [number, number, number] {
    const { points } = this;
    const w = points[4 * vertex + 3];
    if (w < 1e-4) return this.place(vertex);
    return [points[4 * vertex] / w, points[4 * vertex + 1] / w, points[4 * vertex + 2] / w];
  }

  /** Whether two vertices are the same point. */
  same(u: number, v: number): boolean {
    return u === v || [0, 1, 2].every((i) => this.side(this.triples[3 * u + i], v) === 0);
  }

  /** -1, 0 or 1, as a coordinate of one vertex is below, at or above that of another. */
  compare(axis: number, u: number, v: number): -1 | 0 | 1 {
    const gap = this.place(u)[axis] - this.place(v)[axis];
    if (Math.abs(gap) > 1e-9) return gap > 0 ? 1 : -1;
    const [p, q] = [this.exactPoint(u), this.exactPoint(v)];
    return signOf(p[axis] * q[3] - q[axis] * p[3]);
  }

  private row(plane: number): Quadruple<number> {
    const { rows } = this;
    const j = 4 * plane;
    return [rows[j], rows[j + 1], rows[j + 2], rows[j + 3]];
  }

  private exactRow(plane: number): Integers {
    let row = this.integers[plane];
    if (row === undefined) {
      const all = this.row(plane).map((x) => BigInt(x * INTEGER));
      const bits = all.reduce((a, b) => a | b, 0n);
      const common = bits & -bits;
      row = [all[0] / common, all[1] / common, all[2] / common, all[3] / common];
      this.integers[plane] = row;
    }
    return row;
  }

  private exactMeeting(vertex: number): Integers {
    const [a, b, c] = [0, 1, 2].map((i) => this.exactRow(this.triples[3 * vertex + i]));
    return exactMeeting(a, b, c);
  }

  private exactPoint(vertex: number): Integers {
    let point = this.exactPoints[vertex];
    if (point === undefined) {
      const [x, y, z, w] = this.exactMeeting(vertex);
      point = w < 0n ? [-x, -y, -z, -w] : [x, y, z, w];
      this.exactPoints[vertex] = point;
    }
    return point;
  }
}

type Quadruple<N> = readonly [N, N, N, N];

/** Where three planes meet, in homogeneous coordinates, by Cramer's rule. */
function meeting(p: Quadruple<number>, q: Quadruple<number>, r: Quadruple<number>): Quadruple<number> {
  const [qr0, qr1, qr2] = [q[1] * r[2] - q[2] * r[1], q[2] * r[0] - q[0] * r[2], q[0] * r[1] - q[1] * r[0]];
  const [rp0, rp1, rp2] = [r[1] * p[2] - r[2] * p[1], r[2] * p[0] - r[0] * p[2], r[0] * p[1] - r[1] * p[0]];
  const [pq0, pq1, pq2] = [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
  return [
    -(p[3] * qr0 + q[3] * rp0 + r[3] * pq0),
    -(p[3] * qr1 + q[3] * rp1 + r[3] * pq1),
    -(p[3] * qr2 + q[3] * rp2 + r[3] * pq2),
    p[0] * qr0 + p[1] * qr1 + p[2] * qr2,
  ];
}

/** The same in integers, which have operators but no type in common with doubles. */
function exactMeeting(p: Integers, q: Integers, r: Integers): Integers {
  const cross = (u: Integers, v: Integers) => [
    u[1] * v[2] - u[2] * v[1],
    u[2] * v[0] - u[0] * v[2],
    u[0] * v[1] - u[1] * v[0],
  ];
  const [qr, rp, pq] = [cross(q, r), cross(r, p), cross(p, q)];
  const along = (i: number) => -(p[3] * qr[i] + q[3] * rp[i] + r[3] * pq[i]);
  return [along(0), along(1), along(2), p[0] * qr[0] + p[1] * qr[1] + p[2] * qr[2]];
}

function signOf(x: bigint): -1 | 0 | 1 {
  return x > 0n ? 1 : x < 0n ? -1 : 0;
}
