/** y[rows] += A x for row-major A[rows, columns]: one dot product a row, in four vectors of running sums. */
// @ts-ignore: decorator
@inline
function byRows<T>(rows: i32, columns: i32, a: usize, x: usize, y: usize): void {
  const size = sizeof<T>();
  const lanes = 16 / <i32>size;
  for (let i = 0; i < rows; i++) {
    let s0 = v128.splat<T>(0), s1 = s0, s2 = s0, s3 = s0;
    let p = x;
    let j = 0;
    for (; j <= columns - 4 * lanes; j += 4 * lanes) {
      s0 = v128.add<T>(s0, v128.mul<T>(v128.load(a), v128.load(p)));
      s1 = v128.add<T>(s1, v128.mul<T>(v128.load(a, 16), v128.load(p, 16)));
      s2 = v128.add<T>(s2, v128.mul<T>(v128.load(a, 32), v128.load(p, 32)));
      s3 = v128.add<T>(s3, v128.mul<T>(v128.load(a, 48), v128.load(p, 48)));
      a += 64;
      p += 64;
    }
    s0 = v128.add<T>(v128.add<T>(s0, s1), v128.add<T>(s2, s3));
    let sum = v128.extract_lane<T>(s0, 0) + v128.extract_lane<T>(s0, 1);
    if (lanes == 4) sum += v128.extract_lane<T>(s0, (lanes - 2) as u8) + v128.extract_lane<T>(s0, (lanes - 1) as u8);
    for (; j < columns; j++) {
      sum += load<T>(a) * load<T>(p);
      a += size;
      p += size;
    }
    store<T>(y, load<T>(y) + sum);
    y += size;
  }
}

/** y[rows] += A x for column-major A: four columns at a time, then one by one. */
// @ts-ignore: decorator
@inline
function byColumns<T>(rows: i32, columns: i32, a: usize, x: usize, y: usize): void {
  const size = sizeof<T>();
  const lanes = 16 / <i32>size;
  const stride = <usize>rows * size;
  let j = 0;
  for (; j <= columns - 4; j += 4) {
    const x0 = load<T>(x), x1 = load<T>(x + size), x2 = load<T>(x + 2 * size), x3 = load<T>(x + 3 * size);
    const v0 = v128.splat<T>(x0), v1 = v128.splat<T>(x1), v2 = v128.splat<T>(x2), v3 = v128.splat<T>(x3);
    let p0 = a, p1 = a + stride, p2 = p1 + stride, p3 = p2 + stride, q = y;
    let i = 0;
    for (; i <= rows - lanes; i += lanes) {
      const front = v128.add<T>(v128.mul<T>(v128.load(p0), v0), v128.mul<T>(v128.load(p1), v1));
      const back = v128.add<T>(v128.mul<T>(v128.load(p2), v2), v128.mul<T>(v128.load(p3), v3));
      v128.store(q, v128.add<T>(v128.load(q), v128.add<T>(front, back)));
      p0 += 16, p1 += 16, p2 += 16, p3 += 16, q += 16;
    }
    for (; i < rows; i++) {
      const front = load<T>(p0) * x0 + load<T>(p1) * x1;
      store<T>(q, load<T>(q) + (front + (load<T>(p2) * x2 + load<T>(p3) * x3)));
      p0 += size, p1 += size, p2 += size, p3 += size, q += size;
    }
    a += 4 * stride;
    x += 4 * size;
  }
  for (; j < columns; j++) {
    const value = load<T>(x);
    for (let i = 0; i < rows; i++) {
      store<T>(y + <usize>i * size, load<T>(y + <usize>i * size) + load<T>(a + <usize>i * size) * value);
    }
    a += stride;
    x += size;
  }
}

/** y += A x, float32; A lies row after row, or column after column where `columnMajor` is not 0. */
export function gemv_32(rows: i32, columns: i32, a: usize, columnMajor: i32, x: usize, y: usize): void {
  if (columnMajor) byColumns<f32>(rows, columns, a, x, y);
  else byRows<f32>(rows, columns, a, x, y);
}

/** y += A x, float64; A lies row after row, or column after column where `columnMajor` is not 0. */
export function gemv_64(rows: i32, columns: i32, a: usize, columnMajor: i32, x: usize, y: usize): void {
  if (columnMajor) byColumns<f64>(rows, columns, a, x, y);
  else byRows<f64>(rows, columns, a, x, y);
}
