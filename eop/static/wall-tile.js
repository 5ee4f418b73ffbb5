// One tile of the wall: its elements, its picture, and what is said of both.

import { ageSeconds, freshness } from "./freshness.js";
import { controlledBy } from "./controllers.js";
import { screenAddress } from "./projecting.js";
import { isFault, look } from "./states.js";
import { span, t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const JPEG = "data:image/jpeg;base64,";

/** An icon of the sprite. */
export function icon(sprite, name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) {
    made.className = className;
  }
  made.append(...children);
  return made;
}

const CHUNK = 8192; // bytes; a call takes no more arguments than some ten thousand

/** Bytes as an address: a blob's would cost three times as much, in calls between processes. */
function dataUrl(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return `${JPEG}${btoa(text)}`;
}

/** The picture with the `url` of its JPEG, decoded beside the page; `null` where it is none. */
export async function decoded(picture) {
  const url = dataUrl(picture.jpeg);
  const image = new Image(); // kept with the picture: the browser then need not decode again
  image.src = url;
  try {
    await image.decode();
  } catch {
    return null;
  }
  return { ...picture, url, image };
}

/** A workstation on the wall. Writes to the page only where something changed. */
export class Tile {
  #page;
  #parts = {};
  #shownUrl = null;
  #written = "";
  #age = "";
  #mirrors = new Set();
  view = null;
  pictureWidth = 0;
  provenAt = null;
  capturedAt = null;
  sequence = null;
  attention = false;

  constructor(entry, page, openAdvice) {
    this.#page = page;
    this.#build(entry, openAdvice);
    this.describe(entry);
  }

  /** Take in what the daemon says of the workstation. */
  describe(entry) {
    Object.assign(this, {
      number: entry.number, id: entry.id, name: entry.name, room: entry.room,
      user: entry.user ?? null, state: entry.state, reason: entry.reason ?? null,
      controllers: entry.controllers ?? [],
    });
    this.title = this.user === null ? this.name : (this.#page.names[this.user] ?? this.user);
    this.element.dataset.workstation = this.id;
    this.element.toggleAttribute("data-free", this.user === null);
    this.#parts.checkName.textContent = t("Select {name}", { name: this.title });
    this.#parts.name.textContent = this.title;
    this.#parts.name.title = this.title;
    this.#parts.where.textContent = this.user === null ? this.room : this.name;
    this.lead();
  }

  /** Lead to the screen, with its student's name or, in the projector mode, without. */
  lead() {
    this.#parts.open.href = screenAddress(this.#page, this.id);
    this.#tellMirrors();
  }

  #build(entry, openAdvice) {
    const parts = this.#parts;
    parts.image = element("img");
    parts.image.alt = "";
    parts.image.width = 320;
    parts.image.height = 180;
    parts.image.draggable = false;
    parts.image.hidden = true;
    parts.bandText = element("span");
    parts.band = element("span", "band");
    parts.bands = element("span", "tile-bands", parts.band);
    parts.voidTitle = element("strong");
    parts.voidWhy = element("em");
    parts.voidIcon = element("span");
    parts.void = element("span", "tile-void", parts.voidIcon, parts.voidTitle, parts.voidWhy);
    const picture = element("span", "tile-pic", parts.image, parts.bands, parts.void);
    parts.name = element("span", "tile-name");
    parts.age = element("span", "tile-age");
    parts.where = element("span", "tile-where");
    parts.state = element("span", "tile-state");
    const foot = element("span", "tile-foot",
      element("span", "tile-row", parts.name, parts.age),
      element("span", "tile-row", parts.where, parts.state));
    // read in one breath, and without the age: screen readers would read it again every second
    parts.told = element("span", "vh");
    picture.setAttribute("aria-hidden", "true");
    foot.setAttribute("aria-hidden", "true");
    parts.toldPlain = element("span", "vh when-projector");
    parts.open = element("a", "tile-open", picture, foot, parts.told, parts.toldPlain);
    parts.open.tabIndex = -1;
    parts.open.draggable = false;
    parts.check = element("input");
    parts.check.type = "checkbox";
    parts.check.tabIndex = -1;
    parts.checkName = element("span", "vh");
    const check = element("label", "tile-check", parts.check, parts.checkName);
    parts.act = element("button", "b tile-act", icon(this.#page.icons, "help"), t("What to do?"));
    parts.act.type = "button";
    parts.act.dataset.size = "s";
    parts.act.tabIndex = -1;
    parts.act.addEventListener("click", () => openAdvice(this));
    this.element = element("li", "tile", parts.open, check);
    this.element.dataset.number = entry.number;
  }

  get link() {
    return this.#parts.open;
  }

  get href() {
    return this.#parts.open.href;
  }

  get selected() {
    return this.#parts.check.checked;
  }

  set selected(yes) {
    this.#parts.check.checked = yes;
  }

  /** Have `shown(tile, url)` told of each picture and of what is said beside it; gives the end of it. */
  mirror(shown) {
    this.#mirrors.add(shown);
    shown(this, this.#shownUrl);
    return () => this.#mirrors.delete(shown);
  }

  #tellMirrors() {
    for (const shown of this.#mirrors) {
      shown(this, this.#shownUrl);
    }
  }

  /** What a screen reader says of this tile. */
  get told() {
    return this.#parts.told.textContent;
  }

  /** Whether this tile is the one that Tab reaches. */
  set reachable(yes) {
    this.#parts.open.tabIndex = yes ? 0 : -1;
    this.#parts.check.tabIndex = yes ? 0 : -1;
    this.#parts.act.tabIndex = yes ? 0 : -1;
  }

  /** The picture that is shown, as a file; `null` where there is none. */
  get blob() {
    if (this.#shownUrl === null) {
      return null;
    }
    const text = atob(this.#shownUrl.slice(JPEG.length));
    const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    return new Blob([bytes], { type: "image/jpeg" });
  }

  get hasPicture() {
    return this.#shownUrl !== null;
  }

  /** Show a newer, decoded picture. */
  showPicture({ sequence, capturedAt, url, image }) {
    this.#shownUrl = url;
    this.#parts.image.src = url;
    this.sequence = sequence;
    this.capturedAt = capturedAt;
    this.pictureWidth = image.naturalWidth;
    this.prove(capturedAt);
    this.#tellMirrors();
  }

  /** The picture was the present one at that time. */
  prove(at) {
    this.provenAt = Math.max(this.provenAt ?? 0, at);
  }

  dropPicture() {
    if (this.#shownUrl !== null) {
      this.#parts.image.removeAttribute("src");
    }
    this.#shownUrl = null;
    this.provenAt = null;
  }

  remove() {
    this.dropPicture();
    this.element.remove();
  }

  /** Say how the tile is at that time of the daemon; `linked`: whether we hear the daemon. */
  write(now, linked) {
    const view = this.#view(now, linked);
    this.view = view;
    this.attention = view.attention;
    this.word = view.word;
    if (view.age !== this.#age) {
      this.#age = view.age; // every second, on every tile: by itself
      this.#parts.age.textContent = view.age;
    }
    const shown = view.fresh === "live" ? { ...view, age: "" } : view;
    const key = JSON.stringify(shown) + this.title + this.name;
    if (key !== this.#written) {
      this.#written = key;
      this.#draw(view);
    }
    this.#tellMirrors();
  }

  #view(now, linked) {
    const { icon: sign, tone, word: plain, short } = look(this.state, this.reason);
    const word = this.state === "controlled" ? controlledBy(this.controllers, this.#page.who) : plain;
    const seconds = now === null || this.provenAt === null ? null : ageSeconds(now, this.provenAt);
    const base = { state: this.state, sign, tone, word, short, age: "", why: "", fresh: "waiting",
      attention: true };
    if (isFault(this.state) && linked) {
      return { ...base, fresh: "void", act: true, why: "" };
    }
    if (seconds === null) {
      return this.#waitingView(base, linked);
    }
    const fresh = freshness(seconds);
    const age = span(seconds);
    if (fresh === "live") {
      return { ...base, fresh, age, attention: false };
    }
    const why = this.#whyOld(linked);
    if (fresh === "gone") {
      return { ...base, fresh: "void", sign: "unplug", tone: "warn", age: "",
        word: linked ? t("No picture") : t("Connection lost"), short: linked ? t("No picture") : t("Lost"),
        why: t("for {span}, {reason}", { span: age, reason: why }), act: linked };
    }
    return { ...base, fresh, age, sign: "snail", tone: "warn", word: t("Frozen"),
      short: t("Frozen"), why };
  }

  #waitingView(base, linked) {
    if (!linked) {
      return { ...base, fresh: "void", sign: "unplug", tone: "warn", word: t("Connection lost"),
        short: t("Lost") };
    }
    if (this.state === "connecting" || this.state === "unknown") {
      return { ...base, attention: this.state === "connecting" };
    }
    return { ...base, sign: "refresh", tone: "", word: t("Waiting for the picture"),
      short: t("Waiting"),       attention: false };
  }

  #whyOld(linked) {
    if (!linked) {
      return t("link lost");
    }
    if (this.state === "connecting") {
      return t("connecting again");
    }
    return this.reason?.code === "silent" ? t("the workstation is silent") : t("slow network");
  }

  #draw(view) {
    const { element: li } = this;
    const parts = this.#parts;
    const hasPicture = view.fresh === "live" || view.fresh === "stale";
    li.dataset.state = view.state;
    li.dataset.fresh = view.fresh;
    li.toggleAttribute("data-old", view.fresh === "stale");
    parts.image.hidden = !hasPicture;
    parts.void.hidden = hasPicture;
    this.#drawState(view);
    this.#drawBand(view);
    parts.voidTitle.textContent = view.word;
    parts.voidWhy.textContent = view.why;
    parts.void.dataset.tone = view.tone === "bad" ? "bad" : "";
    parts.voidIcon.replaceChildren(icon(this.#page.icons, view.sign));
    if (view.act) {
      li.append(parts.act);
      parts.act.setAttribute("aria-label", t("What to do? {name}", { name: this.title }));
    } else {
      if (document.activeElement === parts.act) {
        parts.open.focus(); // what leaves hands the focus on
      }
      parts.act.remove();
    }
    parts.told.textContent = `${this.title}, ${this.name}, ${view.word}`;
    parts.toldPlain.textContent = this.name;
  }

  #drawState(view) {
    const { state } = this.#parts;
    state.replaceChildren(icon(this.#page.icons, view.sign), view.short);
    if (view.tone) {
      state.dataset.tone = view.tone;
    } else {
      delete state.dataset.tone;
    }
  }

  #drawBand(view) {
    const parts = this.#parts;
    const controlled = view.fresh === "live" && view.state === "controlled";
    parts.bands.hidden = !(view.fresh === "stale" || controlled);
    if (view.fresh === "stale") {
      parts.bandText.textContent = t("Frozen {span}, {reason}", { span: view.age, reason: view.why });
      parts.band.dataset.tone = "warn";
    } else if (controlled) {
      parts.bandText.textContent = view.word;
      parts.band.dataset.tone = "info";
    }
    parts.band.replaceChildren(icon(this.#page.icons, view.sign), parts.bandText);
  }
}
