// Changing a seating plan: by mouse or finger, by pressing one place and then another, by arrow keys.

import { CallError, call } from "./api.js";
import {
  emptyPlace, filled, isSame, moved, occupant, removed, resized, stepped, toBody, withAisle,
} from "./plan-grid.js";
import { byId } from "./page.js";
import { PlanDrag } from "./wall-plan-drag.js";
import { reasonOf } from "./wall-plan-note.js";
import { t, timeOfDay } from "./words.js";

export class PlanEditor {
  draft = null; // the plan as it is now; `null` while none is changed
  #page;
  #wall;
  #host;
  #note;
  #base = 0; // the version that is changed
  #start = null;
  #history = []; // kept when the plan is saved: its changes can be undone later
  #savedVersion = -1;
  #picked = null;
  #drag;
  #isSaving = false;
  // A finger that drags scrolls nothing: after a fling the browser would ignore the next press.
  #still = (event) => {
    if (this.#drag.isDrag && event.cancelable) {
      event.preventDefault();
    }
  };

  constructor(page, wall, host, note) {
    this.#page = page;
    this.#wall = wall;
    this.#host = host;
    this.#note = note;
    this.#drag = new PlanDrag(wall);
    this.#listen(wall.parentElement);
    byId("plan-save").addEventListener("click", () => this.#save());
    byId("plan-cancel").addEventListener("click", () => this.#cancel());
    byId("plan-undo").addEventListener("click", () => this.#undo());
    for (const button of document.querySelectorAll("[data-arrange]")) {
      button.addEventListener("click", () => this.#arrange(button.dataset.arrange));
    }
    for (const button of document.querySelectorAll("[data-grow]")) {
      button.addEventListener("click", () => this.#grow(button.dataset.grow, Number(button.dataset.by)));
    }
    window.addEventListener("beforeunload", (event) => {
      if (this.isOpen && !isSame(this.draft, this.#start)) {
        event.preventDefault();
      }
    });
  }

  get isOpen() {
    return this.draft !== null;
  }

  /** Begin to change the newest plan. */
  async open() {
    this.#note.hide();
    if (!await this.#host.load() || this.isOpen) {
      return;
    }
    if (this.#host.version !== this.#savedVersion) {
      this.#history = []; // another's plan: ours cannot be undone on it
    }
    this.#begin(this.#host.current, this.#host.current, this.#host.version, this.#history);
  }

  #begin(draft, start, base, history) {
    this.draft = draft;
    this.#start = start;
    this.#base = base;
    this.#history = history;
    document.querySelector("input[name=filter][value=all]").checked = true;
    byId("search").value = "";
    this.#frame(true);
    this.#show();
    (this.#wall.querySelector(".tile-open") ?? byId("plan-save")).focus();
    this.#say(t("You are changing the seating plan."));
  }

  #close() {
    this.draft = null;
    this.#drag.drop();
    this.#pick(null);
    this.#frame(false);
    this.#host.apply();
    this.#wall.querySelectorAll(".tile-open").forEach((link, at) => { link.tabIndex = at === 0 ? 0 : -1; });
    byId("plan-edit").focus();
  }

  /** The page while a plan is changed: other tools, and keys that go to the places. */
  #frame(isOpen) {
    byId("wall-page").toggleAttribute("data-editing", isOpen);
    byId("plan-tools").hidden = !isOpen;
    const place = this.#wall.parentElement;
    const gestures = isOpen ? "addEventListener" : "removeEventListener"; // only now: it slows scrolling
    place[gestures]("touchmove", this.#still, { passive: false });
    if (isOpen) {
      place.setAttribute("role", "application"); // arrows are for the places, not for reading
      place.setAttribute("aria-label", t("Seating plan"));
      place.setAttribute("aria-describedby", "plan-hint");
    } else {
      ["role", "aria-label", "aria-describedby"].forEach((name) => place.removeAttribute(name));
    }
  }

  #show() {
    this.#host.apply();
    byId("plan-columns").textContent = this.draft.columns;
    byId("plan-rows").textContent = this.draft.rows;
    byId("plan-undo").setAttribute("aria-disabled", String(this.#history.length === 0));
    this.#wall.querySelectorAll(".tile-open").forEach((link) => { link.tabIndex = 0; });
  }

  #change(plan, words) {
    if (!isSame(plan, this.draft)) {
      this.#history.push(this.draft);
      this.draft = plan;
      this.#show();
    }
    this.#say(words);
  }

  #undo() {
    const before = this.#history.pop();
    if (before === undefined) {
      this.#say(t("There is nothing to undo."));
      return;
    }
    this.draft = before;
    this.#pick(null);
    this.#show();
    this.#say(t("Undone."));
  }

  #arrange(by) {
    const words = by === "name" ? t("Arranged by name.") : t("Arranged by number.");
    this.#change(filled(this.draft, this.#host.ids(by)), words);
  }

  #grow(what, by) {
    const { columns, rows } = this.draft;
    const grown = what === "columns" ? resized(this.draft, columns + by, rows) : resized(this.draft, columns, rows + by);
    const lost = this.draft.seats.size - grown.seats.size;
    const size = t("Columns: {columns}, rows: {rows}.", { columns: grown.columns, rows: grown.rows });
    const off = t("No longer placed: {n}.", { n: lost });
    this.#change(grown, lost > 0 ? `${size} ${off}` : size);
  }

  #toggleAisle(after) {
    const plan = withAisle(this.draft, after);
    this.#change(plan, plan.aisles.includes(after) ? t("There is an aisle here.") : t("The aisle is closed."));
    this.#wall.querySelector(`[data-after="${after}"]`)?.focus();
  }

  /** Put a tile on a place; who is there changes places with it. */
  #move(tile, place) {
    const other = occupant(this.draft, place);
    const where = this.#host.words(place);
    const name = other !== undefined && other !== tile.id ? this.#host.tile(other)?.title : undefined;
    const swapped = t("Changed places with {name}.", { name });
    const words = name === undefined ? where : `${where}. ${swapped}`;
    this.#change(moved(this.draft, tile.id, place), words);
  }

  #takeOff(tile) {
    this.#change(removed(this.draft, tile.id), t("{name} is off the plan.", { name: tile.title }));
  }

  #pick(tile) {
    this.#picked?.element.removeAttribute("data-picked");
    this.#picked = tile;
    tile?.element.setAttribute("data-picked", "");
  }

  async #save() {
    if (this.#isSaving) {
      return;
    }
    const before = this.#start;
    this.#hold(true);
    try {
      const reply = await call(this.#page, "PUT", this.#host.path, toBody(this.draft, this.#base));
      this.#savedVersion = reply.version;
      this.#close();
      this.#host.take(reply);
      this.#note.show(t("The plan is saved, for all who teach in this room."), "ok",
        [[t("Undo"), () => this.#saveAgain(before)]]);
    } catch (error) {
      await this.#tellWhy(error);
    } finally {
      this.#hold(false);
    }
  }

  /** While a plan is on its way to the site it stays as it was sent. */
  #hold(isSaving) {
    this.#isSaving = isSaving;
    byId("plan-tools").inert = isSaving;
    if (isSaving) {
      this.#drag.drop();
      this.#pick(null);
    } else if (this.isOpen && document.activeElement === document.body) {
      byId("plan-save").focus(); // what is inert has lost it
    }
  }

  /** Save the plan that was there before; nothing but the newest is replaced. */
  async #saveAgain(plan) {
    try {
      const reply = await call(this.#page, "PUT", this.#host.path, toBody(plan, this.#savedVersion));
      this.#savedVersion = reply.version;
      this.#host.take(reply);
      this.#note.show(t("The plan is again as it was."), "ok");
    } catch (error) {
      this.#note.show(t("The plan is not saved: {why}", { why: reasonOf(error) }), "bad");
    }
  }

  async #tellWhy(error) {
    if (!(error instanceof CallError) || error.code !== "plan_changed") {
      this.#note.show(t("The plan is not saved: {why}", { why: reasonOf(error) }), "bad");
      return;
    }
    try {
      const reply = await call(this.#page, "GET", this.#host.path);
      const who = reply.saved_by ?? "?";
      const text = t("{who} saved this plan at {time}, while you were changing it. Yours is not saved.",
        { who, time: timeOfDay(reply.saved_at) });
      this.#note.show(text, "warn", [
        [t("Show the plan of {who}", { who }), () => this.#giveWay(reply)],
        [t("Save mine instead"), () => this.#insist(reply)],
      ]);
    } catch (failure) {
      this.#note.show(t("The plan is not saved: {why}", { why: reasonOf(failure) }), "bad");
    }
  }

  #giveWay(reply) {
    this.#history = [];
    this.#close();
    this.#host.take(reply);
  }

  #insist(reply) {
    this.#base = reply.version;
    this.#save();
  }

  #cancel() {
    const [draft, start, base, history] = [this.draft, this.#start, this.#base, this.#history];
    this.#note.hide();
    this.#history = [];
    this.#close();
    if (isSame(draft, start)) {
      this.#say(t("The plan is as it was."));
      return;
    }
    this.#note.show(t("Your changes to the plan are dropped."), "ok",
      [[t("Undo"), () => this.#begin(draft, start, base, history)]]);
  }

  #say(words) {
    byId("say").textContent = words;
  }

  /** While a plan is changed, nothing on the wall reaches who else listens there. */
  #listen(place) {
    const on = (type, act) => place.addEventListener(type, (event) => {
      if (this.isOpen) {
        event.stopImmediatePropagation();
        if (!this.#isSaving) {
          act?.(event);
        } else if (type === "click") {
          event.preventDefault(); // a tile is a link
        }
      }
    }, { capture: true });
    on("pointerdown", (event) => this.#drag.down(event, this.#tileOf(event)));
    on("pointermove", (event) => this.#drag.move(event));
    on("pointerup", (event) => this.#dropped(this.#drag.up(event)));
    on("pointercancel", () => this.#drag.drop());
    on("click", (event) => this.#click(event));
    on("keydown", (event) => this.#key(event));
    on("focusin");
    for (const type of ["auxclick", "contextmenu", "dragstart"]) {
      on(type, (event) => event.preventDefault());
    }
  }

  #tileOf(event) {
    return this.#host.tileAt(event.target.closest(".tile"));
  }

  /** Where a drag ended: on a place, beside the plan, or nowhere. */
  #dropped({ tile, target }) {
    if (tile) {
      this.#pick(null);
    }
    if (target?.matches(".seat")) {
      this.#move(tile, placeOf(target));
    } else if (target) {
      this.#takeOff(tile);
    }
  }

  #click(event) {
    event.preventDefault();
    const aisle = event.target.closest("[data-after]");
    const seat = event.target.closest(".seat");
    const tile = this.#tileOf(event);
    if (aisle) {
      this.#toggleAisle(Number(aisle.dataset.after));
    } else if (this.#picked && (seat || tile)) {
      this.#put(seat, tile);
    } else if (tile) {
      this.#pick(tile);
      this.#say(t("{name}: press the place where it goes.", { name: tile.title }));
    }
  }

  /** The tile that was pressed before goes where is pressed now. */
  #put(seat, tile) {
    const picked = this.#picked;
    const place = seat ? placeOf(seat) : this.draft.seats.get(tile.id);
    this.#pick(null);
    if (place && picked !== tile) {
      this.#move(picked, place);
      picked.link.focus();
    }
  }

  #key(event) {
    const key = event.key;
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "z") {
      event.preventDefault();
      this.#undo();
      return;
    }
    const tile = this.#tileOf(event);
    if (!tile || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    if (key === "Delete" || key === "Backspace") {
      event.preventDefault();
      this.#takeOff(tile);
    } else if (key === "Escape") {
      this.#drag.drop();
      this.#pick(null);
    } else {
      this.#step(event, tile);
    }
  }

  #step(event, tile) {
    const seat = this.draft.seats.get(tile.id);
    const next = stepped(this.draft, seat ?? { column: 0, row: 0 }, event.key, this.#host.isTurned);
    if (next === undefined) {
      return;
    }
    event.preventDefault();
    const place = seat ? next : emptyPlace(this.draft);
    if (place === null) {
      this.#say(seat ? t("The plan ends here.") : t("There is no empty place."));
      return;
    }
    this.#move(tile, place);
    tile.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
}

function placeOf({ dataset }) {
  return { column: Number(dataset.column), row: Number(dataset.row) };
}
