// The spotlight: one to four large live tiles above the wall; the slideshow walks them.

import { isLetter } from "./keys.js";
import { byId } from "./page.js";
import { Follower } from "./wall-picture.js";
import { MOST_LARGE, Walk } from "./wall-walk.js";
import { t } from "./words.js";

const EVERY_MS = 5000;

export class Spotlight {
  #wall;
  #tiles;
  #large;
  #sprite;
  #walk = new Walk([]);
  #followers = new Map();
  #release = () => {};
  #running = false;
  #timer = 0;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(wall, tiles, large, sprite) {
    this.#wall = wall;
    this.#tiles = tiles;
    this.#large = large;
    this.#sprite = sprite;
    byId("spotlight-next").addEventListener("click", () => this.step(1));
    byId("spotlight-before").addEventListener("click", () => this.step(-1));
    byId("spotlight-slides").addEventListener("click", () => this.slide(!this.#running));
    byId("spotlight-close").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  get isOpen() {
    return !byId("spotlight").hidden;
  }

  get isRunning() {
    return this.#running;
  }

  /** Show these large, four at most; the others can be walked to. */
  open(numbers) {
    this.#walk = new Walk(numbers);
    byId("spotlight").hidden = this.#walk.length === 0;
    byId("spotlight-open").setAttribute("aria-pressed", String(this.isOpen));
    this.#draw();
  }

  close() {
    const hadFocus = byId("spotlight").contains(document.activeElement);
    this.#stop();
    this.open([]);
    if (hadFocus) {
      const opener = byId("spotlight-open");
      (opener.offsetParent === null ? byId("more") : opener).focus(); // a narrow window has it there
    }
  }

  /** Walk by itself, or stop walking; what fits at once is then walked one by one. */
  slide(run, numbers = null) {
    if (numbers !== null) {
      this.open(numbers);
    }
    this.#stop();
    this.#running = run;
    this.#walk = this.#walk.resized(run && this.#walk.length <= MOST_LARGE ? 1 : MOST_LARGE);
    this.#draw();
    this.#plan();
    if (run) {
      byId("spotlight-list").focus(); // there Space pauses; on a button it presses that
    }
    if (run && this.#still.matches) {
      byId("say").textContent = t("The slideshow waits: N for the next, B for the one before.");
    }
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#running = false;
    byId("spotlight").removeAttribute("data-paused");
  }

  get #paused() {
    return byId("spotlight").hasAttribute("data-paused");
  }

  #pause() {
    byId("spotlight").toggleAttribute("data-paused", !this.#paused);
    byId("say").textContent = this.#paused ? t("Slideshow paused.") : t("Slideshow goes on.");
    this.#draw();
    this.#plan();
  }

  #plan() {
    clearTimeout(this.#timer);
    if (this.#running && !this.#paused && !this.#still.matches) {
      this.#timer = setTimeout(() => (document.hidden ? this.#plan() : this.step(1)), EVERY_MS);
    }
  }

  step(direction) {
    this.#walk.step(direction);
    this.#draw();
    this.#plan();
  }

  /** A workstation is no longer there. */
  forget(number) {
    if (this.#followers.has(number)) {
      this.#end(number);
    }
    this.#walk = this.#walk.without(number);
    if (this.isOpen) {
      this.#draw();
    }
  }

  #end(number) {
    const follower = this.#followers.get(number);
    if (follower.element.contains(document.activeElement)) {
      byId("spotlight-list").focus(); // what leaves hands the focus on
    }
    follower.end();
    follower.element.remove();
    this.#followers.delete(number);
  }

  #draw() {
    const shown = this.#walk.shown.filter((number) => this.#tiles.has(number));
    for (const number of [...this.#followers.keys()].filter((other) => !shown.includes(other))) {
      this.#end(number);
    }
    for (const number of shown) {
      if (!this.#followers.has(number)) {
        this.#followers.set(number, new Follower(this.#tiles.get(number), this.#sprite));
      }
    }
    const list = byId("spotlight-list");
    shown.forEach((number, at) => {
      const { element } = this.#followers.get(number);
      if (list.children[at] !== element) {
        list.insertBefore(element, list.children[at] ?? null);
      }
    });
    list.dataset.count = shown.length;
    const release = this.#release;
    this.#release = this.#large.want(shown);
    release();
    this.#write(shown);
  }

  #write(shown) {
    const walk = this.#walk;
    const last = walk.place + shown.length - 1;
    const of = { first: walk.place, last: last > walk.length ? last - walk.length : last, n: walk.length };
    byId("spotlight-place").textContent = shown.length === 1
      ? t("{first} of {n}", of) : t("{first} to {last} of {n}", of);
    byId("spotlight-place").hidden = walk.isWhole;
    byId("spotlight-next").hidden = walk.isWhole;
    byId("spotlight-before").hidden = walk.isWhole;
    const slides = byId("spotlight-slides");
    slides.hidden = walk.length < 2;
    slides.setAttribute("aria-pressed", String(this.#running));
    byId("spotlight-hint").textContent = this.#hint();
  }

  #hint() {
    if (!this.#running) {
      return "";
    }
    if (this.#still.matches) {
      return t("N: next, B: before");
    }
    return this.#paused ? t("Paused. Space goes on.") : t("Space pauses.");
  }

  #key(event) {
    const { target } = event;
    const onWall = this.#wall.contains(target) || byId("spotlight").contains(target);
    if (!this.isOpen || !(onWall || target === document.body)) {
      return;
    }
    if (onWall && (isLetter(event, "n") || isLetter(event, "b"))) {
      event.preventDefault();
      this.step(event.key.toLowerCase() === "n" ? 1 : -1);
    } else if (event.key === " " && this.#running && !event.defaultPrevented && !target.closest("button, input, summary")) {
      event.preventDefault();
      this.#pause();
    }
  }
}
