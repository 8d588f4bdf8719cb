/** A rectangle in any unit; y grows downwards. */
export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Divides a rectangle among values, each area in proportion, as nearly square as rows of them allow ("Squarified Treemaps",
 * Bruls, Huizing and van Wijk, 2000). The result is in the order of the values; what is not above zero gets no area.
 */
export function squarify(values: readonly number[], within: Rectangle): readonly Rectangle[] {
  const placed: Rectangle[] = values.map(() => ({ x: within.x, y: within.y, width: 0, height: 0 }));
  const order = [...values.keys()]
    .filter((index) => (values[index] ?? 0) > 0)
    .sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
  let left = within;
  let remaining = order.reduce((sum, index) => sum + (values[index] ?? 0), 0);
  for (let start = 0; start < order.length;) {
    const scale = (left.width * left.height) / remaining;
    const side = Math.min(left.width, left.height);
    const row: number[] = [];
    let [sum, worst] = [0, Infinity];
    for (const index of order.slice(start)) {
      const area = (values[index] ?? 0) * scale;
      const ratio = worstRatio(sum + area, (values[order[start] ?? 0] ?? 0) * scale, area, side);
      if (row.length > 0 && ratio > worst) break;
      row.push(index);
      [sum, worst] = [sum + area, ratio];
    }
    start += row.length;
    left = placeRow(row, values, left, start === order.length, sum, placed);
    remaining = order.slice(start).reduce((total, index) => total + (values[index] ?? 0), 0);
  }
  return placed;
}

/** The worst ratio of sides in a row of this area, whose largest and smallest members have those areas. */
function worstRatio(sum: number, largest: number, smallest: number, side: number): number {
  const squared = side * side;
  return Math.max((squared * largest) / (sum * sum), (sum * sum) / (squared * smallest));
}

/** Lays a row along the shorter side of what is left, and returns the rest. */
function placeRow(
  row: readonly number[],
  values: readonly number[],
  left: Rectangle,
  last: boolean,
  area: number,
  placed: Rectangle[],
): Rectangle {
  const upright = left.width >= left.height;
  const [along, across] = upright ? [left.height, left.width] : [left.width, left.height];
  // The last row takes what is left: rounding leaves no gap.
  const thickness = last ? across : Math.min(across, area / along);
  const total = row.reduce((sum, index) => sum + (values[index] ?? 0), 0);
  let offset = 0;
  for (const index of row) {
    const length = Math.min(along - offset, (along * (values[index] ?? 0)) / total);
    placed[index] = upright
      ? { x: left.x, y: left.y + offset, width: thickness, height: length }
      : { x: left.x + offset, y: left.y, width: length, height: thickness };
    offset += length;
  }
  return upright
    ? { ...left, x: left.x + thickness, width: left.width - thickness }
    : { ...left, y: left.y + thickness, height: left.height - thickness };
}
