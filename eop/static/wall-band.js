// The rubber band: the mouse drawn over the ground of the wall selects what it crosses.

import { numberOf } from "./wall-choose.js";

const BEGIN_PX = 6; // a click moves less

export class Band {
  #wall;
  #selection;
  #box = document.createElement("div");

  constructor(wall, selection) {
    this.#wall = wall;
    this.#selection = selection;
    this.#box.className = "rubber-band";
    wall.parentElement.addEventListener("pointerdown", (event) => this.#down(event));
  }

  #down(start) {
    const ground = [this.#wall, this.#wall.parentElement];
    if (start.pointerType !== "mouse" || start.button !== 0 || !ground.includes(start.target)) {
      return;
    }
    start.preventDefault(); // no text is selected
    const end = new AbortController();
    const kept = start.ctrlKey || start.shiftKey || start.metaKey
      ? [...this.#wall.querySelectorAll(".tile:has(.tile-check :checked)")].map(numberOf)
      : [];
    const from = [start.clientX, start.clientY];
    window.addEventListener("pointermove", (event) => {
      const box = rectangle(from, [event.clientX, event.clientY]);
      if (this.#box.isConnected || Math.max(box.right - box.left, box.bottom - box.top) > BEGIN_PX) {
        this.#draw(box);
        this.#selection.replace([...kept, ...this.#crossed(box)]);
      }
    }, { signal: end.signal });
    for (const name of ["pointerup", "pointercancel", "blur"]) {
      window.addEventListener(name, () => {
        this.#box.remove();
        end.abort();
      }, { signal: end.signal });
    }
  }

  #draw(box) {
    if (!this.#box.isConnected) {
      this.#wall.closest(".wall-page").append(this.#box); // seen in full screen, too
    }
    for (const side of ["left", "top"]) {
      this.#box.style.setProperty(side, `${box[side]}px`);
    }
    this.#box.style.setProperty("width", `${box.right - box.left}px`);
    this.#box.style.setProperty("height", `${box.bottom - box.top}px`);
  }

  #crossed(box) {
    return [...this.#wall.querySelectorAll(".tile")].filter((tile) => {
      const { left, right, top, bottom } = tile.getBoundingClientRect();
      return left < box.right && right > box.left && top < box.bottom && bottom > box.top;
    }).map(numberOf);
  }
}

function rectangle([x, y], [u, v]) {
  return { left: Math.min(x, u), right: Math.max(x, u), top: Math.min(y, v), bottom: Math.max(y, v) };
}
