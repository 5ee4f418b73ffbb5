// The keyboard on the wall: one tab stop, arrows between tiles, Enter opens, V and C, / searches.

import { isLetterForPage } from "./keys.js";

const SINGLE = { v: "view", c: "control" };

export class WallKeys {
  #wall;
  #plan;

  constructor(wall, plan) {
    this.#wall = wall;
    this.#plan = plan;
    wall.addEventListener("keydown", (event) => this.#onWall(event));
    wall.addEventListener("focusin", (event) => this.#reach(event.target.closest(".tile")));
    document.addEventListener("keydown", (event) => this.#anywhere(event));
  }

  get #links() {
    return [...this.#wall.querySelectorAll(".tile-open")];
  }

  #reach(tile) {
    for (const link of this.#links) {
      const reachable = link.parentElement === tile;
      link.tabIndex = reachable ? 0 : -1;
      for (const other of link.parentElement.querySelectorAll("button, input")) {
        other.tabIndex = link.tabIndex;
      }
    }
  }

  #onWall(event) {
    const tile = event.target.closest(".tile");
    if (!tile || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const mode = SINGLE[event.key.toLowerCase()];
    if (mode && event.target.matches(".tile-open") && isLetterForPage(event)) {
      event.preventDefault();
      const address = new URL(event.target.href);
      address.searchParams.set("mode", mode);
      location.assign(address);
      return;
    }
    const step = this.#step(event.key, tile);
    if (step !== null) {
      event.preventDefault();
      step?.focus();
    }
  }

  /** The link that a key leads to; `undefined` at the edge, `null` for a key of others. */
  #step(key, tile) {
    const beside = this.#plan.beside(key, tile);
    if (beside) {
      return beside;
    }
    const links = this.#links;
    const at = links.findIndex((link) => link.parentElement === tile);
    const columns = this.#columns(links);
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    if (key in steps) {
      return links[at + steps[key]];
    }
    if (key === "Home") {
      return links[0];
    }
    return key === "End" ? links.at(-1) : null;
  }

  #columns(links) {
    const top = links[0]?.offsetParent?.offsetTop;
    const below = links.findIndex((link) => link.offsetParent.offsetTop > top);
    return below < 0 ? links.length : below;
  }

  #anywhere(event) {
    if (event.key === "/" && isLetterForPage(event)) {
      event.preventDefault();
      document.getElementById("search").focus();
    }
    if (event.key === "Escape" && event.target.id === "search") {
      this.#wall.querySelector('.tile-open[tabindex="0"]')?.focus();
    }
  }
}
