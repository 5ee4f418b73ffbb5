// The tools of the wall: filter, search, order, size, full screen; the list of what needs a look.

import { tryAgain } from "./api.js";
import { byId } from "./page.js";
import { advice as adviceOf, detailsOf } from "./states.js";
import { fittingColumns, matches, sorted } from "./wall-order.js";
import { element } from "./wall-tile.js";
import { t } from "./words.js";

const HELD_MS = 2000; // a tile does not leave the pointer for so long
const LEAST = { narrow: 144, wide: 184 };
const NARROW = 640;
const WIDEST = 640; // a tile is never made larger than its picture

/** Write a text where it differs: the same text again would lay the page out again. */
function say(id, text) {
  const place = byId(id);
  if (place.textContent !== String(text)) {
    place.textContent = text;
  }
}

/** Orders and filters the tiles, and gives them their size. */
export class WallTools {
  #wall;
  #tiles;
  #changed;
  #arranged;
  #plan;
  #held = 0;
  #waiting = 0;
  #order = "";

  /** `changed()` is called when tiles have another size, `arranged()` when others may be shown. */
  constructor(wall, tiles, { changed, arranged }, plan) {
    this.#arranged = arranged;
    this.#plan = plan;
    this.#wall = wall;
    this.#tiles = tiles;
    this.#changed = changed;
    for (const input of document.querySelectorAll("input[name=filter]")) {
      input.addEventListener("change", () => this.arrange());
    }
    byId("search").addEventListener("input", () => this.arrange());
    byId("sort").addEventListener("change", () => this.arrange());
    byId("size").addEventListener("change", () => this.resize());
    byId("clear").addEventListener("click", () => this.#clear());
    this.#offerFullScreen();
    const room = new ResizeObserver(() => this.resize());
    room.observe(wall.parentElement);
    room.observe(byId("spotlight")); // it opens and closes above the wall, whose own box may stay
    window.addEventListener("resize", () => this.resize());
    wall.addEventListener("pointermove", () => { this.#held = performance.now() + HELD_MS; });
    wall.addEventListener("pointerleave", () => this.#letGo());
  }

  get #filter() {
    return document.querySelector("input[name=filter]:checked").value;
  }

  get #sort() {
    return this.#plan.isShown ? "place" : byId("sort").value;
  }

  /** Put the tiles that match in their order. */
  arrange() {
    this.#plan.seat();
    const chosen = [...this.#tiles.values()].filter((tile) =>
      matches(tile, this.#filter, byId("search").value));
    const ordered = sorted(chosen, this.#sort, document.documentElement.lang);
    const order = ordered.map((tile) => tile.number).join();
    if (order !== this.#order) {
      this.#order = order;
      this.#place(ordered);
      this.resize();
    }
    this.#sayNothing(chosen.length);
    this.count();
    this.#arranged();
  }

  #place(ordered) {
    const focused = document.activeElement?.closest?.(".tile");
    const kept = new Set(ordered.map((tile) => tile.element));
    const before = [...this.#wall.children];
    let successor = null;
    if (focused && !kept.has(focused)) {
      successor = before.slice(before.indexOf(focused)).find((li) => kept.has(li)) ?? ordered.at(-1)?.element;
    }
    for (const li of before) {
      if (!kept.has(li)) {
        li.remove();
      }
    }
    ordered.forEach((tile, at) => {
      if (this.#wall.children[at] !== tile.element) {
        this.#wall.insertBefore(tile.element, this.#wall.children[at] ?? null);
      }
    });
    const current = successor ?? (kept.has(focused) ? focused : null);
    const reached = ordered.find((tile) => tile.link.tabIndex === 0) ?? ordered[0];
    for (const tile of ordered) {
      tile.reachable = current ? tile.element === current : tile === reached;
    }
    (successor ?? (focused && kept.has(focused) ? focused : null))?.querySelector("a").focus({ preventScroll: true });
  }

  /** Write the counts; states may have changed the order, which waits for the pointer. */
  count() {
    const all = [...this.#tiles.values()];
    say("count-all", all.length);
    say("count-attention", all.filter((tile) => tile.attention).length);
    const live = all.filter((tile) => tile.element.dataset.fresh === "live").length;
    say("tally", t("{n} of {all} live", { n: live, all: all.length }));
    if (this.#sort === "place" && this.#filter === "all") {
      return;
    }
    this.arrangeSoon();
  }

  /** Put the tiles in their order as soon as no pointer rests on one of them. */
  arrangeSoon() {
    if (this.#waiting === 0) {
      const wait = Math.max(0, this.#held - performance.now());
      this.#waiting = setTimeout(() => {
        this.#waiting = 0;
        if (this.#held > performance.now()) {
          this.arrangeSoon(); // it moved meanwhile
          return;
        }
        const order = sorted(
          [...this.#tiles.values()].filter((tile) => matches(tile, this.#filter, byId("search").value)),
          this.#sort, document.documentElement.lang,
        ).map((tile) => tile.number).join();
        if (order !== this.#order) {
          this.arrange();
        }
      }, wait);
    }
  }

  #letGo() {
    this.#held = 0;
    if (this.#waiting !== 0) {
      clearTimeout(this.#waiting);
      this.#waiting = 0;
      this.arrangeSoon();
    }
  }

  #sayNothing(shown) {
    const none = this.#tiles.size === 0;
    byId("nothing").hidden = shown > 0;
    byId("clear").hidden = none;
    byId("nothing-text").textContent = none
      ? t("No workstation here. An administrator adds some with “eopctl workstation add”.")
      : this.#whyNothing();
  }

  #whyNothing() {
    const isWell = this.#filter === "attention" && ![...this.#tiles.values()].some((tile) => tile.attention);
    return isWell ? t("Nothing needs a look: all workstations are well.") : t("No workstation matches.");
  }

  #clear() {
    byId("search").value = "";
    document.querySelector("input[name=filter][value=all]").checked = true;
    this.arrange();
    byId("search").focus();
  }

  /** Give the tiles their size: as large as all fit, or the one chosen. */
  resize() {
    if (this.#plan.draw()) {
      this.#changed();
      return;
    }
    const { clientWidth } = this.#wall;
    const style = getComputedStyle(this.#wall);
    const gap = Number.parseFloat(style.columnGap) || 10;
    const padding = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight);
    const width = clientWidth - padding;
    if (width <= 0) {
      return;
    }
    const chosen = byId("size").value;
    const least = chosen === "fit" ? (innerWidth <= NARROW ? LEAST.narrow : LEAST.wide) : Number(chosen);
    let columns = Math.max(1, Math.floor((width + gap) / (least + gap)));
    if (chosen === "fit") {
      const bar = document.querySelector(".actions").offsetHeight; // none in the projector mode
      const below = bar + document.querySelector(".foot").offsetHeight;
      const height = innerHeight - this.#wall.getBoundingClientRect().top - scrollY - 2 * gap - below;
      const foot = 44;
      columns = fittingColumns(this.#wall.children.length, { width, height, gap, foot, least });
    }
    const most = chosen === "fit" ? `${WIDEST}px` : "1fr";
    this.#wall.style.setProperty(
      "grid-template-columns", `repeat(${columns}, minmax(0, ${most}))`);
    this.#changed();
  }

  #offerFullScreen() {
    const button = byId("full");
    const whole = byId("wall-page");
    button.hidden = !document.fullscreenEnabled;
    button.addEventListener("click", () => {
      if (document.fullscreenElement) {
        document.exitFullscreen();
      } else {
        whole.requestFullscreen().catch(() => { button.hidden = true; });
      }
    });
    document.addEventListener("fullscreenchange", () => {
      button.setAttribute("aria-pressed", String(document.fullscreenElement === whole));
      this.resize();
    });
  }
}

/** The column of a wide window: what needs a look, and why. */
export class AttentionList {
  #page;
  #advice;
  #written = "";

  constructor(page, advice) {
    this.#page = page;
    this.#advice = advice;
  }

  write(tiles) {
    const rows = tiles.map((tile) => [tile, tile.told]);
    const key = rows.map(([tile, label]) => `${tile.number} ${label}`).join("\n");
    if (key === this.#written) {
      return;
    }
    this.#written = key;
    byId("attention").hidden = rows.length === 0;
    byId("attention-count").textContent = rows.length;
    byId("attention-list").replaceChildren(...rows.map(([tile]) => this.#row(tile)));
  }

  #row(tile) {
    const state = tile.element.querySelector(".tile-state");
    const sign = state.querySelector("svg").cloneNode(true);
    const text = element("p", "", element("strong", "", tile.title), tile.word);
    const button = element("button", "b", t("What to do?"));
    button.type = "button";
    button.dataset.size = "s";
    button.setAttribute("aria-label", t("What to do? {name}", { name: tile.title }));
    button.addEventListener("click", () => this.#advice.open(tile));
    const row = element("li", "", sign, text, button);
    row.dataset.tone = state.dataset.tone ?? "";
    return row;
  }
}

/** The panel that says why a workstation is not well, and who can do what. */
export class Advice {
  #dialog = byId("advice");
  #details = "";
  #page;
  #workstation = null;

  constructor(page) {
    this.#page = page;
    byId("advice-retry").addEventListener("click", () => this.#retry());
    byId("advice-close").addEventListener("click", () => this.#dialog.close());
    byId("advice-copy").addEventListener("click", () => this.#copy());
    this.#dialog.addEventListener("close", () => this.#giveBack());
  }

  open(tile) {
    const { cause, who } = adviceOf(tile.reason);
    this.#details = detailsOf(tile);
    this.#workstation = tile.id;
    byId("advice-title").textContent = tile.title;
    byId("advice-cause").textContent = cause;
    byId("advice-who").textContent = who;
    byId("advice-detail").textContent = this.#details;
    byId("advice-copy").lastElementChild.textContent = t("Copy the details");
    this.#dialog.showModal();
  }

  /** The dialog gives the focus back by itself, but not to a button that has gone meanwhile. */
  #giveBack() {
    if (document.activeElement === document.body) {
      document.querySelector('.tile-open[tabindex="0"]')?.focus();
    }
  }

  async #retry() {
    try {
      await tryAgain(this.#page, this.#workstation);
      this.#dialog.close();
    } catch (error) {
      byId("advice-who").textContent = error.message;
    }
  }

  async #copy() {
    const label = byId("advice-copy").lastElementChild;
    try {
      await navigator.clipboard.writeText(this.#details);
      label.textContent = t("Copied");
    } catch {
      getSelection().selectAllChildren(byId("advice-detail")); // plain http: copy by hand
      label.textContent = t("Press Ctrl+C to copy");
    }
  }
}

