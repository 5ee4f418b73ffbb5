// The rail of one screen: full screen, scale, quality, keys and clipboard.

import { t } from "./words.js";

const byId = (id) => document.getElementById(id);

// X11 keysyms by the key's code: https://www.x.org/releases/current/doc/xproto/x11protocol.html
const KEYSYMS = {
  ControlLeft: 0xffe3, AltLeft: 0xffe9, MetaLeft: 0xffeb, Delete: 0xffff, Escape: 0xff1b,
  Tab: 0xff09, F4: 0xffc1, PrintScreen: 0xff61,
};
const QUALITIES = { auto: [6, 2], sharp: [9, 1], light: [2, 6] }; // JPEG quality, compression
const MAX_CLIPBOARD = 256 * 1024; // a long text; more is a file

/** Full screen, scale and quality. */
export class Display {
  #stage;
  #rfb = null;
  #fit = true;
  #quality = "auto";

  constructor(stage) {
    this.#stage = stage;
    stage.dataset.scale = "fit";
    byId("fit").addEventListener("click", () => this.#scale(!this.#fit));
    byId("full").hidden = !document.fullscreenEnabled;
    byId("full").addEventListener("click", () => this.toggleFull());
    document.addEventListener("fullscreenchange", () => {
      byId("full").setAttribute("aria-pressed", String(document.fullscreenElement !== null));
    });
    for (const button of document.querySelectorAll("[data-quality]")) {
      button.addEventListener("click", () => this.#improve(button));
    }
  }

  use(rfb) {
    this.#rfb = rfb;
    rfb.background = "transparent";
    rfb.clipViewport = false;
    this.#apply();
  }

  toggleFull() {
    if (document.fullscreenElement) {
      document.exitFullscreen();
    } else {
      byId("one").requestFullscreen().catch(() => { byId("full").hidden = true; });
    }
  }

  #scale(fit) {
    this.#fit = fit;
    byId("fit").setAttribute("aria-pressed", String(fit));
    byId("fit").querySelector("span").textContent = fit ? t("Fitted") : t("100 %");
    this.#apply();
  }

  #improve(chosen) {
    this.#quality = chosen.dataset.quality;
    for (const button of document.querySelectorAll("[data-quality]")) {
      button.setAttribute("aria-pressed", String(button === chosen));
    }
    const words = { auto: t("Quality: auto"), sharp: t("Quality: sharp"), light: t("Quality: light") };
    byId("quality-word").textContent = words[this.#quality];
    chosen.closest("details").open = false;
    this.#apply();
  }

  #apply() {
    this.#stage.dataset.scale = this.#fit ? "fit" : "real";
    if (this.#rfb !== null) {
      [this.#rfb.qualityLevel, this.#rfb.compressionLevel] = QUALITIES[this.#quality];
      this.#rfb.scaleViewport = this.#fit;
    }
  }
}

/** Key combinations that a browser keeps for itself, and modifiers that stay down. */
export class Keys {
  #rfb = null;
  #menu = byId("keys");

  constructor() {
    for (const button of document.querySelectorAll("[data-keys]")) {
      button.addEventListener("click", () => this.#press(button.dataset.keys.split(" ")));
    }
    for (const button of document.querySelectorAll("[data-sticky]")) {
      button.addEventListener("click", () => this.#hold(button));
    }
  }

  /** Send to that connection, or to none: what is held down is forgotten with it. */
  use(rfb) {
    this.#rfb = rfb;
    if (this.#menu) {
      this.#menu.hidden = rfb === null;
      this.#menu.open = false;
    }
    for (const button of document.querySelectorAll("[data-sticky]")) {
      button.setAttribute("aria-pressed", "false");
    }
  }

  #press(codes) {
    if (this.#rfb === null) {
      return;
    }
    for (const code of codes) {
      this.#rfb.sendKey(KEYSYMS[code], code, true);
    }
    for (const code of codes.reverse()) {
      this.#rfb.sendKey(KEYSYMS[code], code, false);
    }
    this.#menu.open = false;
    this.#rfb.focus();
  }

  #hold(button) {
    if (this.#rfb === null) {
      return;
    }
    const down = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(down));
    this.#rfb.sendKey(KEYSYMS[button.dataset.sticky], button.dataset.sticky, down);
  }
}

/** The panel of the clipboard, both ways, in control mode. */
export class Clipboard {
  #rfb = null;
  #menu = byId("clipboard");

  constructor() {
    byId("clip-send")?.addEventListener("click", () => this.#send());
  }

  use(rfb) {
    this.#rfb = rfb;
    if (this.#menu) {
      this.#menu.hidden = rfb === null;
      this.#menu.open = false;
    }
    rfb?.addEventListener("clipboard", (event) => {
      byId("clip-text").value = event.detail.text.slice(0, MAX_CLIPBOARD);
    });
  }

  #send() {
    if (this.#rfb !== null) {
      this.#rfb.clipboardPasteFrom(byId("clip-text").value.slice(0, MAX_CLIPBOARD));
      byId("say").textContent = t("Sent to the clipboard of the workstation.");
      this.#menu.open = false;
      this.#rfb.focus();
    }
  }
}

/** One menu of the rail open at a time; Escape and a press elsewhere close it. */
export class Menus {
  #menus = [...document.querySelectorAll(".tool-menu")];

  constructor() {
    document.addEventListener("pointerdown", (event) => this.#closeBut(event.target), true);
    for (const menu of this.#menus) {
      menu.addEventListener("toggle", () => menu.open && this.#closeBut(menu));
      menu.addEventListener("keydown", (event) => {
        if (event.key === "Escape") {
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
