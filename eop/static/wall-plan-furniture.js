// What a seating plan shows besides tiles: outlines of empty places, aisles, the desk, the rest.

import { element, icon } from "./wall-tile.js";
import { t } from "./words.js";

/** Give an element its cell of the grid. */
export function put(li, { column, row }) {
  li.style.gridColumn = String(column);
  li.style.gridRow = String(row);
  return li;
}

export class Furniture {
  #wall;
  #icons;
  #pieces = [];
  #built = "";

  constructor(wall, icons) {
    this.#wall = wall;
    this.#icons = icons;
  }

  /** Put everything into the wall after its tiles; it is built anew only where it differs.
   *
   * `frame` says on which lines of the grid things are, `loose` how many have no place, `isThere`
   * whether the tile of a workstation is on the wall.
   */
  arrange(plan, frame, loose, isThere) {
    const taken = new Set();
    for (const [id, { column, row }] of frame.isOpen ? [] : plan.seats) {
      if (isThere(id)) {
        taken.add(`${column} ${row}`);
      }
    }
    const { columns, rows, aisles } = plan;
    const key = JSON.stringify([columns, rows, aisles, frame.isTurned, frame.isOpen, loose, [...taken].sort()]);
    if (key !== this.#built) {
      this.clear();
      this.#built = key;
      this.#pieces = [
        ...seats(plan, frame, taken),
        ...aislesOf(plan, frame),
        this.#desk(frame),
        ...(loose > 0 || frame.isOpen ? [unplaced(frame, loose)] : []),
      ];
    } else if (this.#pieces.every((li) => li.isConnected)) {
      return;
    }
    this.#wall.append(...this.#pieces);
  }

  clear() {
    this.#pieces.forEach((li) => li.remove());
    this.#pieces = [];
    this.#built = "";
  }

  #desk(frame) {
    const desk = element("li", "desk", icon(this.#icons, "seat"), t("Teacher’s desk"));
    return put(desk, { column: "1 / -1", row: frame.desk });
  }
}

function seats(plan, frame, taken) {
  const made = [];
  for (let row = 1; row <= plan.rows; row += 1) {
    for (let column = 1; column <= plan.columns; column += 1) {
      if (!taken.has(`${column} ${row}`)) {
        const seat = element("li", "seat");
        seat.setAttribute("aria-hidden", "true");
        Object.assign(seat.dataset, { column, row });
        made.push(put(seat, frame.cell({ column, row })));
      }
    }
  }
  return made;
}

function aislesOf(plan, frame) {
  const between = frame.shown.map((track, at) => ({ ...track, column: at + 1 })).filter((track) => track.aisle);
  return between.flatMap(({ aisle, isOpen, column }) => {
    const made = [];
    if (isOpen) {
      const way = element("li", "aisle", element("span", "", t("Aisle")));
      way.setAttribute("aria-hidden", "true");
      made.push(put(way, { column, row: `${frame.above + 1} / span ${plan.rows}` }));
    }
    if (frame.isOpen) {
      made.push(put(element("li", "aisle-end", aisleButton(aisle, isOpen)), { column, row: 1 }));
    }
    return made;
  });
}

/** The button that makes or takes away an aisle: the editor hears it. */
function aisleButton(after, isOpen) {
  const button = element("button", "b", isOpen ? "×" : "+");
  button.type = "button";
  button.dataset.after = after;
  button.setAttribute("aria-pressed", String(isOpen));
  button.setAttribute("aria-label", t("Aisle beside column {n}", { n: after }));
  button.title = button.getAttribute("aria-label");
  return button;
}

function unplaced(frame, count) {
  const text = count > 0 ? t("Not placed yet: {n}", { n: count }) : t("All workstations are placed.");
  return put(element("li", "unplaced", text), { column: "1 / -1", row: frame.loose });
}
