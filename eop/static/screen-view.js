// How one sees the picture: fitted or as it is, moved about, one monitor of several, full screen.

import { kept, keep } from "./kept.js";
import { byId } from "./page.js";
import { monitorsIn, placed } from "./screen-geometry.js";
import { t } from "./words.js";

const STEP = 80; // pixels that an arrow key moves the picture

export class View {
  #stage;
  #window = byId("view");
  #opening = byId("opening");
  #picture = byId("screen");
  #grab = byId("grab");
  #rfb = null;
  #mode = "view";
  #fit = kept("scale", ["fit", "real"]) === "fit";
  #moving = false;
  #chosen = -1; // of the monitors; -1: all of them
  #monitors = [];

  constructor(stage) {
    this.#stage = stage;
    byId("fit").addEventListener("click", () => this.#scale(!this.#fit));
    byId("move").addEventListener("click", () => this.#move(!this.#moving));
    byId("full").hidden = !document.fullscreenEnabled;
    byId("full").addEventListener("click", () => this.toggleFull());
    document.addEventListener("fullscreenchange", () => {
      byId("full").setAttribute("aria-pressed", String(document.fullscreenElement !== null));
    });
    new ResizeObserver(() => this.#lay()).observe(this.#window);
    this.#window.addEventListener("keydown", (event) => this.#step(event));
    this.#drag();
    this.#scale(this.#fit);
  }

  /** Show that connection, in that mode; `null`: none is open. */
  use(rfb, mode) {
    this.#rfb = rfb;
    this.#mode = mode;
    if (rfb !== null) {
      rfb.background = "transparent";
      rfb.addEventListener("resized", () => this.#learn(rfb));
      rfb.addEventListener("monitors", () => this.#learn(rfb));
      this.#learn(rfb);
    }
    this.#move(false);
  }

  /** The part of the picture that is looked at, `{x, y, width, height}` in its own pixels. */
  get shown() {
    return this.#monitors[this.#chosen] ?? { x: 0, y: 0, ...this.#rfb.size };
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
    keep("scale", fit ? "fit" : "real");
    byId("fit").setAttribute("aria-pressed", String(fit));
    byId("fit").querySelector("span").textContent = fit ? t("Fitted") : t("100 %");
    this.#stage.dataset.scale = fit ? "fit" : "real";
    this.#lay();
  }

  #learn(rfb) {
    if (rfb !== this.#rfb) {
      return;
    }
    const found = monitorsIn(rfb.size, rfb.monitors);
    if (JSON.stringify(found) !== JSON.stringify(this.#monitors)) {
      this.#monitors = found;
      this.#chosen = found.length > 1 && this.#chosen < found.length ? this.#chosen : -1;
      this.#offerMonitors();
    }
    this.#lay();
  }

  #offerMonitors() {
    const count = this.#monitors.length;
    byId("monitors").hidden = count < 2;
    const labels = [t("All monitors"), ...this.#monitors.map((_, at) => t("Monitor {n} of {count}", { n: at + 1, count }))];
    byId("monitor-list").replaceChildren(...labels.map((label, at) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", () => {
        byId("monitors").open = false;
        this.#choose(at - 1);
      });
      return button;
    }));
    this.#choose(this.#chosen);
  }

  #choose(at) {
    this.#chosen = at;
    const count = this.#monitors.length;
    byId("monitor-word").textContent = at < 0 ? t("All monitors") : t("Monitor {n}/{count}", { n: at + 1, count });
    [...byId("monitor-list").children].forEach((button, place) => {
      button.setAttribute("aria-pressed", String(place === at + 1));
    });
    this.#lay();
  }

  #lay() {
    const space = { width: this.#window.clientWidth, height: this.#window.clientHeight };
    if (this.#rfb === null || space.width === 0 || space.height === 0) {
      return;
    }
    const { opening, picture } = placed(this.#rfb.size, this.shown, space, this.#fit);
    setPixels(this.#opening, opening);
    setPixels(this.#picture, picture);
    this.#rfb.scaleViewport = true; // noVNC fills what it was given; the size of that is ours
    const overflows = !this.#fit && (opening.width > space.width || opening.height > space.height);
    byId("move").hidden = !overflows || this.#mode !== "control";
    this.#window.tabIndex = overflows ? 0 : -1;
    this.#grab.hidden = !overflows || (this.#mode === "control" && !this.#moving);
  }

  /** In control mode the pointer is the student's, unless this is on. */
  #move(moving) {
    this.#moving = moving;
    byId("move").setAttribute("aria-pressed", String(moving));
    this.#lay();
  }

  #drag() {
    let from = null;
    this.#grab.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "touch") { // a finger moves it without help
        from = { x: event.clientX, y: event.clientY };
        this.#grab.setPointerCapture(event.pointerId);
      }
    });
    this.#grab.addEventListener("pointermove", (event) => {
      if (from !== null) {
        this.#window.scrollBy(from.x - event.clientX, from.y - event.clientY);
        from = { x: event.clientX, y: event.clientY };
      }
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      this.#grab.addEventListener(kind, () => { from = null; });
    }
  }

  /** Arrows move what dragging moves. */
  #step(event) {
    const [x, y] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key] ?? [0, 0];
    const taken = this.#mode === "control" && this.#rfb !== null && event.target === this.#rfb.canvas;
    if ((x !== 0 || y !== 0) && !taken && !this.#grab.hidden) {
      event.preventDefault();
      this.#window.scrollBy(x, y);
    }
  }
}

function setPixels(element, sizes) {
  for (const [name, pixels] of Object.entries(sizes)) {
    element.style[name] = `${pixels}px`;
  }
}
