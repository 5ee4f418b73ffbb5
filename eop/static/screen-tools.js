// The rail of one screen: quality of the picture, one menu open at a time, arrows between tools.

import { keep, kept } from "./kept.js";
import { byId } from "./page.js";
import { Relief } from "./screen-figures.js";
import { t } from "./words.js";

const QUALITIES = { auto: [6, 2], sharp: [9, 1], light: [2, 6] }; // JPEG quality, compression
const RELIEVED = [3, 6]; // of "auto", as long as the link is slow

/** Automatic, sharp or light pictures. */
export class Quality {
  #rfb = null;
  #chosen = kept("quality", ["auto", "sharp", "light"]);
  #relief = new Relief();

  constructor() {
    for (const button of document.querySelectorAll("[data-quality]")) {
      button.addEventListener("click", () => {
        button.closest("details").open = false;
        this.#choose(button.dataset.quality);
      });
    }
    this.#choose(this.#chosen);
  }

  use(rfb) {
    this.#rfb = rfb;
    this.#apply();
  }

  /** A round trip took so long. */
  feel(milliseconds) {
    const before = this.#relief.relieved;
    if (this.#relief.feel(milliseconds) !== before) {
      this.#apply();
    }
  }

  #choose(quality) {
    this.#chosen = quality;
    keep("quality", quality);
    for (const button of document.querySelectorAll("[data-quality]")) {
      button.setAttribute("aria-pressed", String(button.dataset.quality === quality));
    }
    const words = { auto: t("Quality: auto"), sharp: t("Quality: sharp"), light: t("Quality: light") };
    byId("quality-word").textContent = words[quality];
    this.#apply();
  }

  #apply() {
    if (this.#rfb !== null) {
      const relieved = this.#chosen === "auto" && this.#relief.relieved;
      [this.#rfb.qualityLevel, this.#rfb.compressionLevel] = relieved ? RELIEVED : QUALITIES[this.#chosen];
    }
  }
}

/** One menu open at a time; Escape and a press elsewhere close it. */
export class Menus {
  #menus = [...document.querySelectorAll(".tool-menu, .latency-menu")];

  constructor() {
    document.addEventListener("pointerdown", (event) => this.#closeBut(event.target), true);
    for (const menu of this.#menus) {
      menu.addEventListener("toggle", () => menu.open && this.#closeBut(menu));
      menu.addEventListener("keydown", (event) => {
        if (event.key === "Escape" && menu.open) {
          menu.open = false;
          menu.querySelector("summary").focus();
        }
      });
    }
  }

  #closeBut(target) {
    for (const menu of this.#menus) {
      if (!menu.contains(target)) {
        menu.open = false;
      }
    }
  }
}

const STEPS = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };

/** The rail as a toolbar: one stop of the Tab key, arrows within; "More" on a phone. */
export class Rail {
  #rail;

  constructor(rail) {
    this.#rail = rail;
    rail.addEventListener("keydown", (event) => this.#walk(event));
    rail.addEventListener("focusin", (event) => this.#stopAt(event.target.closest(".tool")));
    byId("more").addEventListener("click", () => this.#more());
    this.#stopAt(this.#tools[0]);
  }

  get #tools() {
    return [...this.#rail.querySelectorAll(".tool")].filter((tool) => tool.checkVisibility?.() ?? !tool.hidden);
  }

  #stopAt(chosen) {
    if (chosen) {
      for (const tool of this.#rail.querySelectorAll(".tool")) {
        tool.tabIndex = tool === chosen ? 0 : -1;
      }
    }
  }

  #walk(event) {
    const tools = this.#tools;
    const at = tools.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const to = { Home: 0, End: tools.length - 1 }[event.key]
      ?? (event.key in STEPS ? (at + STEPS[event.key] + tools.length) % tools.length : null);
    if (to !== null) {
      event.preventDefault();
      tools[to].focus();
    }
  }

  #more() {
    const open = this.#rail.dataset.more === undefined;
    this.#rail.toggleAttribute("data-more", open);
    byId("more").setAttribute("aria-expanded", String(open));
  }

  /** A tool that went away must not be where Tab stops. */
  use() {
    if (!this.#tools.some((tool) => tool.tabIndex === 0)) {
      this.#stopAt(this.#tools[0]);
    }
  }
}
