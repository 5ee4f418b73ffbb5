// The wall as a seating plan: the same tiles on the places where the workstations stand.

import { call } from "./api.js";
import { byId } from "./page.js";
import { arranged, beside, fromReply, rank, tracks, turned } from "./plan-grid.js";
import { PlanEditor } from "./wall-plan-edit.js";
import { Furniture, put } from "./wall-plan-furniture.js";
import { PlanNote, reasonOf } from "./wall-plan-note.js";
import { element } from "./wall-tile.js";
import { t } from "./words.js";

const LEAST = 144; // px: below that a plan is scrolled sideways
const WIDEST = 640; // a tile is never made larger than its picture
const AISLE = 28;
const FOOT = 44;
const DESK = 40;

/** How this browser likes its walls; a browser that keeps nothing gets the usual. */
const liking = {
  is(name) {
    try {
      return localStorage.getItem(`eop.plan.${name}`) === "yes";
    } catch {
      return false;
    }
  },
  keep(name, yes) {
    try {
      localStorage.setItem(`eop.plan.${name}`, yes ? "yes" : "no");
    } catch {
      // kept for this page alone
    }
  },
};

export class SeatingPlan {
  #page;
  #wall;
  #tiles;
  #refresh;
  #editor;
  #note = new PlanNote();
  #room = null;
  #reply = null; // the site's newest answer
  #plan = null; // the plan in it, if there is one
  #loading = 0;
  #isWanted = liking.is("wanted");
  #isTurned = liking.is("turned");
  #isDrawn = false;
  #hasFailed = false;
  #furniture;

  /** `refresh` has the wall put its tiles in order and give them their size again. */
  constructor(page, wall, tiles, refresh) {
    this.#page = page;
    this.#wall = wall;
    this.#tiles = tiles;
    this.#refresh = refresh;
    this.#editor = new PlanEditor(page, wall, this, this.#note);
    this.#furniture = new Furniture(wall, page.icons);
    for (const input of document.querySelectorAll("input[name=layout]")) {
      input.checked = (input.value === "plan") === this.#isWanted;
      input.addEventListener("change", () => this.#choose(input.value === "plan"));
    }
    byId("plan-turn").addEventListener("click", () => this.#turn());
    byId("plan-edit").addEventListener("click", () => this.#editor.open());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.#isWanted) {
        this.load(); // another may have changed it meanwhile
      }
    });
    this.#findRoom();
  }

  /** Whether the wall is a plan now. */
  get isShown() {
    return this.#isWanted && this.#reply !== null;
  }

  get isTurned() {
    return this.#isTurned;
  }

  /** The plan that is seen: the one being changed, the saved one, or the usual one. */
  get current() {
    return this.#editor.draft ?? this.#plan ?? arranged(this.ids("number"));
  }

  get version() {
    return this.#reply?.version ?? 0;
  }

  /** Where the site keeps the plan. */
  get path() {
    return `rooms/${encodeURIComponent(this.#room)}/plan`;
  }

  /** The ids of all tiles, by the `number` or the `name` on them. */
  ids(by) {
    const { compare } = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: "base" });
    const text = by === "name" ? (tile) => tile.title : (tile) => tile.name;
    const tiles = [...this.#tiles.values()];
    tiles.sort((a, b) => compare(text(a), text(b)) || compare(a.name, b.name) || a.number - b.number);
    return tiles.map((tile) => tile.id);
  }

  tile(id) {
    return [...this.#tiles.values()].find((one) => one.id === id);
  }

  tileAt(li) {
    return this.#tiles.get(Number(li?.dataset.number));
  }

  /** Ask the site for the newest plan; whether that worked. Not while one is being changed. */
  async load() {
    if (this.#room === null || this.#editor.isOpen) {
      return false;
    }
    this.#loading += 1;
    const turn = this.#loading;
    try {
      const reply = await call(this.#page, "GET", this.path);
      if (turn === this.#loading && !this.#editor.isOpen) {
        if (this.#hasFailed) {
          this.#hasFailed = false;
          this.#note.hide();
        }
        if (JSON.stringify(reply) !== JSON.stringify(this.#reply)) {
          this.take(reply);
        }
      }
      return true;
    } catch (error) {
      if (turn === this.#loading && this.#isWanted) {
        this.#hasFailed = true;
        this.#note.show(t("The seating plan cannot be loaded: {why}", { why: reasonOf(error) }), "warn");
      }
      return false;
    }
  }

  /** Show the plan of the site's answer. */
  take(reply) {
    this.#reply = reply;
    this.#plan = fromReply(reply);
    byId("sort").querySelector("[value=place]").textContent =
      this.#plan === null ? t("Sort: workstation") : t("Sort: place");
    this.apply();
  }

  /** Show what has changed. */
  apply() {
    const { kind } = this.#page;
    byId("sort").parentElement.hidden = this.isShown; // a plan has its own order
    byId("plan-turn").hidden = !this.isShown;
    byId("plan-turn").setAttribute("aria-pressed", String(this.#isTurned));
    byId("plan-edit").hidden = !(this.isShown && kind === "room" && this.#reply.may_change);
    this.#refresh();
  }

  #choose(plan) {
    this.#isWanted = plan;
    liking.keep("wanted", plan);
    this.#note.hide();
    if (plan && this.#reply === null) {
      this.load();
    }
    this.apply();
  }

  #turn() {
    this.#isTurned = !this.#isTurned;
    liking.keep("turned", this.#isTurned);
    this.apply();
  }

  /** A room has its plan; a class has that of the room in which all of it sits. */
  #findRoom() {
    const rooms = new Set([...this.#tiles.values()].map((tile) => tile.room));
    const [only = null] = rooms.size === 1 ? rooms : [];
    const room = this.#page.kind === "room" ? this.#page.place : only;
    const choice = document.querySelector("input[name=layout][value=plan]");
    choice.disabled = room === null;
    choice.parentElement.title = room === null ? t("The class does not sit in one room.") : "";
    if (room !== this.#room) {
      this.#room = room;
      this.#reply = null;
      this.#plan = null;
      queueMicrotask(() => this.apply());
      this.load();
    }
  }

  /** Tell the tiles their places, for sorting; while the plan is changed they keep their order. */
  seat() {
    this.#findRoom();
    if (this.#editor.isOpen) {
      return;
    }
    const plan = this.isShown ? this.current : this.#plan;
    const sign = this.isShown && this.#isTurned ? -1 : 1;
    for (const tile of this.#tiles.values()) {
      const seat = plan === null ? undefined : rank(plan, tile.id);
      tile.seat = seat && sign * seat;
    }
  }

  /** Put tiles and furniture on their places; whether the wall is a plan. */
  draw() {
    if (!this.isShown) {
      this.#clear();
      return false;
    }
    this.#isDrawn = true;
    this.#wall.dataset.view = "plan";
    const plan = this.current;
    const shown = tracks(plan, this.#isTurned, this.#editor.isOpen);
    const frame = this.#frame(plan, shown);
    const loose = this.#placeTiles(plan, frame);
    this.#furniture.arrange(plan, frame, loose, (id) => this.tile(id)?.element.isConnected === true);
    this.#size(plan, frame);
    return true;
  }

  /** On which lines of the grid things are. */
  #frame(plan, shown) {
    const lines = new Map(shown.map((track, at) => [track.column, at + 1]));
    const above = Number(this.#editor.isOpen) + Number(this.#isTurned);
    const below = above + plan.rows + 1;
    return {
      shown,
      columns: shown.filter((track) => track.column).map((track) => lines.get(track.column)),
      cell: ({ column, row }) => ({
        column: lines.get(column),
        row: above + (this.#isTurned ? plan.rows + 1 - row : row),
      }),
      above,
      isOpen: this.#editor.isOpen,
      isTurned: this.#isTurned,
      desk: this.#isTurned ? above : below,
      loose: this.#isTurned ? below : below + 1,
    };
  }

  #placeTiles(plan, frame) {
    let loose = 0;
    const tiles = new Map([...this.#tiles.values()].map((tile) => [tile.id, tile]));
    for (const tile of this.ids("number").map((id) => tiles.get(id))) {
      if (!tile.element.isConnected) {
        continue;
      }
      const seat = plan.seats.get(tile.id);
      if (seat) {
        put(tile.element, frame.cell(seat));
      } else {
        const row = frame.loose + 1 + Math.floor(loose / frame.columns.length);
        put(tile.element, { column: frame.columns[loose % frame.columns.length], row });
        loose += 1;
      }
      describe(tile, seat ? this.words(seat) : t("Not placed yet"));
    }
    return loose;
  }

  /** A place as it is said: counted from the upper left as one sees it. */
  words(seat) {
    const { column, row } = this.#isTurned ? turned(this.current, seat) : seat;
    return t("Place {place}, row {row}", { place: column, row });
  }

  /** As large as the whole plan fits, or as chosen. */
  #size(plan, frame) {
    const style = getComputedStyle(this.#wall);
    const gap = Number.parseFloat(style.columnGap) || 10;
    const padding = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight);
    const count = frame.shown.length;
    const free = this.#wall.clientWidth - padding - (count - 1) * gap - (count - plan.columns) * AISLE;
    const chosen = byId("size").value;
    let width = Number(chosen);
    if (chosen === "fit") {
      const foot = document.querySelector(".actions")?.offsetHeight ?? 0;
      const top = this.#wall.getBoundingClientRect().top + scrollY;
      const height = innerHeight - top - foot - (plan.rows + 3) * gap - (1 + Number(this.#editor.isOpen)) * DESK;
      const byHeight = ((height / plan.rows - FOOT) * 16) / 9;
      width = Math.floor(Math.min(WIDEST, Math.max(LEAST, Math.min(free / plan.columns, byHeight))));
    }
    const columns = frame.shown.map((track) => (track.column ? `${width}px` : `${AISLE}px`));
    this.#wall.style.setProperty("grid-template-columns", columns.join(" "));
    const tall = Math.round((width * 9) / 16) + FOOT;
    const rows = `${"auto ".repeat(frame.above)}repeat(${plan.rows}, minmax(${tall}px, auto))`;
    this.#wall.style.setProperty("grid-template-rows", rows);
  }

  #clear() {
    if (!this.#isDrawn) {
      return;
    }
    this.#isDrawn = false;
    delete this.#wall.dataset.view;
    this.#wall.style.removeProperty("grid-template-rows");
    this.#furniture.clear();
    for (const tile of this.#tiles.values()) {
      tile.element.style.removeProperty("grid-column");
      tile.element.style.removeProperty("grid-row");
      tile.element.querySelector(".tile-place")?.remove();
      tile.link.removeAttribute("aria-describedby");
    }
  }

  /** The link of the tile to which an arrow leads in the plan; nothing where that is not for us. */
  beside(key, li) {
    if (!this.isShown) {
      return undefined;
    }
    const places = [...this.#tiles.values()].filter((tile) => tile.element.isConnected).map((tile) => ({
      tile,
      x: Number.parseInt(tile.element.style.gridColumnStart, 10),
      y: Number.parseInt(tile.element.style.gridRowStart, 10),
    }));
    const from = places.find(({ tile }) => tile.element === li);
    const next = from && beside(places, from, key);
    return next === undefined ? undefined : (next ?? from).tile.link;
  }
}

/** Have a tile say its place to who does not see it. */
function describe(tile, words) {
  let place = tile.element.querySelector(".tile-place");
  if (place === null) {
    place = element("span", "tile-place vh");
    place.id = `place-${tile.number}`;
    tile.element.append(place);
    tile.link.setAttribute("aria-describedby", place.id);
  }
  if (place.textContent !== words) {
    place.textContent = words;
  }
}
