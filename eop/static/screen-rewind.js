// Looking back at one screen: a slider over the last five minutes, as far as pictures were made
// for somebody anyway. The live screen goes on underneath.

import { pageData } from "./api.js";
import { byId } from "./page.js";
import { keptSeconds, minutes, spanAt, stretches } from "./rewind-times.js";
import { span, t } from "./words.js";

const TIMEOUT_MS = 10_000;
const FRESH_MS = 2_000; // what is kept is asked for again, while one looks back, if it is older
const EDGE_SECONDS = 3; // so near the end of what is kept, it might be forgotten on the way
const IDLE_MS = 180_000; // nobody looks at the past for so long without touching anything
const NOT_KEPT = 404; // of a picture: it was forgotten since it was listed
const SVG = "http://www.w3.org/2000/svg";

const page = pageData();
const address = `${page.api}/workstations/${encodeURIComponent(page.workstation)}/rewind`;

class Rewind {
  #bar = byId("rewind");
  #slider = byId("rewind-slider");
  #past = byId("rewound");
  #picture = byId("rewound-picture");
  #spans = [];
  #seconds = 300;
  #ahead = 0; // the server's clock before ours, in ms
  #askedAt = -Infinity;
  #moment = null; // what is looked at, in ms on the server's clock; null: live
  #shown = null; // the moment of the picture on the stage
  #said = "";
  #isBusy = false;
  #isHeld = false; // a finger or a mouse holds the slider
  #touchedAt = 0;

  constructor() {
    this.#slider.addEventListener("input", () => this.#moved());
    this.#slider.addEventListener("pointerdown", () => { this.#isHeld = true; });
    for (const kind of ["pointerup", "pointercancel", "change", "blur"]) {
      this.#slider.addEventListener(kind, () => { this.#isHeld = false; });
    }
    for (const kind of ["pointerenter", "focusin"]) {
      this.#bar.addEventListener(kind, () => this.#renew());
    }
    for (const button of document.querySelectorAll("[data-rewind-live]")) {
      button.addEventListener("click", () => this.#live(true));
    }
    document.addEventListener("keydown", (event) => this.#key(event), true);
    new MutationObserver(() => this.#watchStage()).observe(byId("stage"), { attributeFilter: ["data-status"] });
    window.addEventListener("pagehide", () => this.#live(false));
    document.addEventListener("visibilitychange", () => document.hidden && this.#live(false));
    for (const kind of ["pointermove", "pointerdown", "keydown", "input"]) {
      document.addEventListener(kind, () => { this.#touchedAt = performance.now(); }, { capture: true, passive: true });
    }
    setInterval(() => this.#tick(), 1000);
    this.#renew();
  }

  get #now() {
    return Date.now() + this.#ahead;
  }

  /** The oldest moment to look at; who stays there moves on with it. */
  get #oldest() {
    return this.#now - (this.#seconds - EDGE_SECONDS) * 1000;
  }

  get #age() {
    return (this.#now - this.#moment) / 1000;
  }

  #moved() {
    const seconds = -Number(this.#slider.value);
    if (seconds === 0) {
      this.#live(true);
      return;
    }
    this.#moment = Math.max(this.#now - seconds * 1000, this.#oldest);
    this.#past.hidden = false;
    this.#tell();
    this.#slider.setAttribute("aria-valuetext", t("{time} ago", { time: minutes(seconds) }));
    this.#follow();
  }

  /** Back to the live screen; `isAsked`: somebody pressed for it. */
  #live(isAsked) {
    if (this.#moment === null) {
      return;
    }
    const hadFocus = this.#past.contains(document.activeElement);
    this.#moment = null;
    this.#forgetPicture();
    this.#past.hidden = true;
    this.#slider.value = "0";
    this.#slider.setAttribute("aria-valuetext", t("Live"));
    this.#tell();
    if (hadFocus) {
      this.#slider.focus();
    }
    this.#say(isAsked ? t("Live") : "");
  }

  #forgetPicture() {
    this.#shown = null;
    this.#picture.hidden = true;
    if (this.#picture.src) {
      URL.revokeObjectURL(this.#picture.src);
      this.#picture.removeAttribute("src");
    }
  }

  /** Show what belongs to the newest moment asked for; one question at a time. */
  async #follow() {
    if (this.#isBusy) {
      return;
    }
    this.#isBusy = true;
    try {
      for (let done = null; this.#moment !== null && done !== this.#moment;) {
        done = this.#moment;
        await this.#step(done);
      }
    } finally {
      this.#isBusy = false;
    }
  }

  async #step(moment) {
    if (performance.now() - this.#askedAt > FRESH_MS) {
      await this.#learn();
    }
    const span = spanAt(this.#spans, moment);
    const isShown = this.#shown !== null && span !== null && spanAt([span], this.#shown) !== null;
    if (isShown || this.#moment === null) {
      this.#shown = isShown ? moment : null;
      return;
    }
    const picture = span === null ? null : await this.#ask(`${address}/${Math.round(moment)}`);
    const jpeg = picture?.ok ? await picture.blob() : null;
    if (this.#moment === null) {
      return; // it went back to live meanwhile
    }
    this.#forgetPicture();
    if (jpeg === null) {
      this.#nothing();
      return;
    }
    this.#picture.src = URL.createObjectURL(jpeg);
    this.#picture.hidden = false;
    byId("rewound-nothing").hidden = true;
    this.#shown = moment;
    this.#say("");
  }

  #nothing() {
    byId("rewound-nothing").hidden = false;
    this.#say(t("Nothing was captured at that time."));
  }

  #say(text) {
    if (text !== this.#said) {
      this.#said = text;
      byId("rewind-say").textContent = text;
    }
  }

  /** What the site answers. Where it does not, or refuses, the screen is live again, if anything. */
  async #ask(url) {
    let answer = null;
    try {
      answer = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch {
      // the server is away: what is said of the live screen tells it
    }
    if (answer === null || (!answer.ok && answer.status !== NOT_KEPT)) {
      this.#live(false);
    }
    if (answer?.status === 401 || answer?.status === 403) {
      this.#bar.hidden = true; // not any more: signed out, no right, or switched off in the room
    }
    return answer;
  }

  /** Ask what is kept. */
  async #learn() {
    this.#askedAt = performance.now();
    const answer = await this.#ask(address);
    if (!answer?.ok) {
      return;
    }
    const told = await answer.json();
    this.#ahead = told.now - Date.now();
    this.#spans = told.pictures;
    this.#seconds = told.seconds;
    this.#slider.min = String(-told.seconds);
    this.#bar.hidden = false;
    this.#draw();
    this.#tell();
  }

  #renew() {
    if (performance.now() - this.#askedAt > FRESH_MS) {
      this.#learn();
    }
  }

  /** The stretches of which there are pictures, under the slider. */
  #draw() {
    const track = byId("rewind-track");
    track.setAttribute("viewBox", `0 0 ${this.#seconds} 1`);
    track.replaceChildren(...stretches(this.#spans, this.#now, this.#seconds).map(({ x, width }) => {
      const rect = document.createElementNS(SVG, "rect");
      for (const [name, value] of Object.entries({ x, width, y: 0, height: 1 })) {
        rect.setAttribute(name, String(value));
      }
      return rect;
    }));
  }

  #tell() {
    const isLive = this.#moment === null;
    byId("rewind-now").textContent = isLive ? t("Live") : t("{time} ago", { time: minutes(this.#age) });
    byId("rewind-now").classList.toggle("live", isLive);
    if (!isLive) {
      byId("rewound-ago").textContent = t("{time} ago", { time: minutes(this.#age) });
    }
    const kept = keptSeconds(this.#spans, this.#now, this.#seconds);
    byId("rewind-kept").textContent = kept === 0 ? t("Nothing is kept yet") : t("{time} kept", { time: span(kept) });
  }

  #tick() {
    if (this.#moment === null) {
      return;
    }
    if (performance.now() - this.#touchedAt > IDLE_MS) {
      this.#live(true); // a page that is left looks at nobody, and no look of it is written down
      return;
    }
    this.#moment = Math.max(this.#moment, this.#oldest);
    if (!this.#isHeld) {
      this.#slider.value = String(-Math.round(this.#age));
    }
    this.#tell();
    this.#follow();
  }

  #watchStage() {
    if (byId("stage").dataset.status === "ended") {
      this.#live(false); // who is signed out sees no screens, of the past neither
      this.#bar.hidden = true;
    }
  }

  #key(event) {
    if (event.key !== "Escape" || this.#moment === null) {
      return;
    }
    const { target } = event;
    if (target === document.body || this.#bar.contains(target) || this.#past.contains(target)) {
      event.preventDefault();
      this.#live(true);
    }
  }
}

new Rewind();
