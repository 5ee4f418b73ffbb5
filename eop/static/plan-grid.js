// The seating plan of a room as a value: what it holds, and every way of changing it. Pure.
//
// `{columns, rows, aisles: [after which column], seats: Map(id → {column, row})}`; column 1 is on the
// left and row 1 the farthest, for who stands at the desk. A plan is never changed: a new one is made.

export const MOST = 20; // columns and rows, as the site allows

/** The plan of the site's answer; `null` where nobody has saved one. */
export function fromReply({ version, columns, rows, aisles, seats }) {
  if (version === 0) {
    return null;
  }
  const placed = seats.map(({ workstation, column, row }) => [workstation, { column, row }]);
  return { columns, rows, aisles, seats: new Map(placed) };
}

/** What the site takes: a plan, made from the one of that version. */
export function toBody(plan, version) {
  const { columns, rows, aisles } = plan;
  const seats = [...plan.seats].map(([workstation, seat]) => ({ workstation, ...seat }));
  seats.sort((a, b) => a.row - b.row || a.column - b.column);
  return { version, columns, rows, aisles, seats };
}

export function isSame(one, other) {
  return JSON.stringify(toBody(one, 0)) === JSON.stringify(toBody(other, 0));
}

/** The usual plan for so many: half as many rows again as columns would be deep, one aisle. */
export function arranged(ids) {
  const columns = Math.min(MOST, Math.max(2, Math.ceil(Math.sqrt(ids.length * 1.5))));
  const rows = Math.min(MOST, Math.max(1, Math.ceil(ids.length / columns)));
  const aisles = columns < 4 ? [] : [Math.floor(columns / 2)];
  return filled({ columns, rows, aisles, seats: new Map() }, ids);
}

/** The same grid with these workstations in it, row by row; more rows where they are needed. */
export function filled(plan, ids) {
  const { columns } = plan;
  const rows = Math.min(MOST, Math.max(plan.rows, Math.ceil(ids.length / columns)));
  const seats = ids.slice(0, columns * rows).map((id, at) =>
    [id, { column: (at % columns) + 1, row: Math.floor(at / columns) + 1 }]);
  return { ...plan, rows, seats: new Map(seats) };
}

/** Whose seat that is; `undefined` where the place is empty. */
export function occupant(plan, { column, row }) {
  return [...plan.seats].find(([, seat]) => seat.column === column && seat.row === row)?.[0];
}

/** Put a workstation on a place; who stood there takes its place. */
export function moved(plan, id, { column, row }) {
  const seats = new Map(plan.seats);
  const other = occupant(plan, { column, row });
  const before = seats.get(id);
  if (other !== undefined && other !== id) {
    if (before) {
      seats.set(other, before);
    } else {
      seats.delete(other);
    }
  }
  seats.set(id, { column, row });
  return { ...plan, seats };
}

/** Take a workstation from its place. */
export function removed(plan, id) {
  const seats = new Map(plan.seats);
  seats.delete(id);
  return { ...plan, seats };
}

/** A grid of that size; who stood outside of it has no place any more. */
export function resized(plan, columns, rows) {
  const width = Math.min(MOST, Math.max(1, columns));
  const depth = Math.min(MOST, Math.max(1, rows));
  const kept = [...plan.seats].filter(([, seat]) => seat.column <= width && seat.row <= depth);
  return {
    columns: width,
    rows: depth,
    aisles: plan.aisles.filter((after) => after < width),
    seats: new Map(kept),
  };
}

/** The plan with an aisle after a column, or without the one that was there. */
export function withAisle(plan, after) {
  const others = plan.aisles.filter((one) => one !== after);
  const aisles = others.length < plan.aisles.length ? others : [...others, after].sort((a, b) => a - b);
  return { ...plan, aisles };
}

/** The first empty place, row by row; `null` in a full room. */
export function emptyPlace(plan) {
  const taken = new Set([...plan.seats.values()].map(({ column, row }) => `${column} ${row}`));
  for (let row = 1; row <= plan.rows; row += 1) {
    for (let column = 1; column <= plan.columns; column += 1) {
      if (!taken.has(`${column} ${row}`)) {
        return { column, row };
      }
    }
  }
  return null;
}

/** A rank for sorting by place: row by row. `undefined` for who has none. */
export function rank(plan, id) {
  const seat = plan.seats.get(id);
  return seat && seat.row * MOST + seat.column;
}

/** The same place seen from the other side, by the class; and back. */
export function turned(plan, { column, row }) {
  return { column: plan.columns + 1 - column, row: plan.rows + 1 - row };
}

/** What is seen from left to right: `{column}` and, between two, `{aisle: after, isOpen}`.
 *
 * With `every`, closed aisles too, so that they can be opened.
 */
export function tracks(plan, isTurned, every) {
  const shown = [];
  for (let column = 1; column <= plan.columns; column += 1) {
    shown.push({ column });
    const isOpen = plan.aisles.includes(column);
    if (column < plan.columns && (isOpen || every)) {
      shown.push({ aisle: column, isOpen });
    }
  }
  return isTurned ? shown.reverse() : shown;
}

const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

/** The place to which an arrow leads, `null` at the edge; `undefined` for another key. */
export function stepped(plan, { column, row }, key, isTurned) {
  if (!(key in STEPS)) {
    return undefined;
  }
  const [right, down] = STEPS[key];
  const sign = isTurned ? -1 : 1;
  const next = { column: column + sign * right, row: row + sign * down };
  const isInside = next.column >= 1 && next.column <= plan.columns && next.row >= 1 && next.row <= plan.rows;
  return isInside ? next : null;
}

/** Of `[{x, y}]` the one to which an arrow leads from `from`, over gaps; `null` at the edge. */
export function beside(places, from, key) {
  if (!(key in STEPS)) {
    return undefined;
  }
  const [right, down] = STEPS[key];
  const ahead = places.filter(({ x, y }) =>
    right === 0 ? (y - from.y) * down > 0 : y === from.y && (x - from.x) * right > 0);
  const far = (place) => Math.abs(place.y - from.y) * 1000 + Math.abs(place.x - from.x);
  return ahead.reduce((best, place) => (best === null || far(place) < far(best) ? place : best), null);
}
