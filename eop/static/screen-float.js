// The picture in a small window above all others, beside the wall.

import { byId } from "./page.js";
import { tell } from "./screen-say.js";
import { t } from "./words.js";

const WIDEST = 960; // pixels of the small picture
const AGAIN_MS = 200; // after a picture, for what was decoded meanwhile and what came since
const VIDEO_RATE = 10; // pictures a second, at most
const SMALL = { width: 480, height: 300 };

export class Float {
  #page;
  #view;
  #rfb = null;
  #canvas = null;
  #timer = 0;
  #close = null; // ends what is open
  #caption = null;

  constructor(page, view) {
    this.#page = page;
    this.#view = view;
    byId("float").addEventListener("click", () => this.#toggle());
  }

  use(rfb) {
    this.#rfb = rfb;
    rfb?.addEventListener("frame", () => rfb === this.#rfb && this.#draw());
    byId("float").setAttribute("aria-disabled", String(rfb === null && this.#close === null));
    this.#draw();
    this.#tell();
  }

  /** What it shows is not for these eyes any more; it may stand above all windows, this page unseen. */
  forget() {
    this.#close?.();
  }

  async #toggle() {
    if (this.#close !== null) {
      this.#close();
      return;
    }
    if (this.#rfb === null) {
      tell(t("Not connected"));
      return;
    }
    await this.#open();
  }

  /** The best way this browser has; each may be refused where the browser is kept on a short lead. */
  async #open() {
    const ways = [
      ["documentPictureInPicture" in window, () => this.#openDocument()],
      [document.pictureInPictureEnabled, () => this.#openVideo()],
    ];
    for (const [, open] of ways.filter(([known]) => known)) {
      try {
        await open();
        this.#opened();
        return;
      } catch {
        this.#ended(); // the next way
      }
    }
    const name = `eop-${this.#page.workstation}`;
    const address = new URL(location.href);
    address.searchParams.delete("mode"); // a window to look at, and no second hand on the mouse
    const own = window.open(address, name, `popup,width=${SMALL.width},height=${SMALL.height}`);
    tell(own === null
      ? t("This browser did not open the small window.")
      : t("This browser has no pictures above other windows: the screen opened in a small window of its own."));
  }

  #opened() {
    byId("float").setAttribute("aria-pressed", "true");
    this.#leadToOtherTab(true);
    tell(t("The screen stays above other windows. The wall opens in another tab meanwhile."));
    this.#draw();
    this.#tell();
  }

  async #openDocument() {
    const small = await window.documentPictureInPicture.requestWindow(SMALL);
    const sheet = small.document.createElement("link");
    sheet.rel = "stylesheet";
    sheet.href = document.querySelector("link[rel=stylesheet]").href;
    small.document.head.append(sheet);
    small.document.title = this.#page.name;
    small.document.documentElement.lang = document.documentElement.lang;
    small.document.body.className = "float";
    this.#canvas = small.document.createElement("canvas");
    this.#caption = small.document.createElement("p");
    small.document.body.append(this.#canvas, this.#caption);
    small.addEventListener("pagehide", () => this.#ended());
    this.#close = () => small.close();
  }

  async #openVideo() {
    this.#canvas = document.createElement("canvas");
    this.#draw();
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = this.#canvas.captureStream(VIDEO_RATE);
    this.#paint(); // without a picture it does not begin to play
    await video.play();
    await video.requestPictureInPicture();
    video.addEventListener("leavepictureinpicture", () => this.#ended());
    this.#close = () => document.exitPictureInPicture();
  }

  #ended() {
    this.#close = null;
    this.#canvas = null;
    this.#caption = null;
    byId("float").setAttribute("aria-pressed", "false");
    this.#leadToOtherTab(false);
  }

  /** This page feeds the small window, so it must stay. */
  #leadToOtherTab(other) {
    if (other) {
      byId("back").target = "_blank";
    } else {
      byId("back").removeAttribute("target");
    }
  }

  #tell() {
    if (this.#canvas !== null) {
      this.#canvas.classList.toggle("old", this.#rfb === null);
    }
    if (this.#caption !== null) {
      this.#caption.textContent = this.#rfb === null
        ? t("{name}: not connected", { name: this.#page.name }) : this.#page.name;
    }
  }

  #draw() {
    if (this.#canvas === null || this.#rfb === null || this.#timer !== 0) {
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#paint();
    }, AGAIN_MS);
    this.#paint();
  }

  #paint() {
    const [canvas, rfb] = [this.#canvas, this.#rfb];
    if (canvas === null || rfb === null) {
      return;
    }
    const { x, y, width, height } = this.#view.shown;
    const scale = Math.min(1, WIDEST / width);
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== wide || canvas.height !== high) {
      [canvas.width, canvas.height] = [wide, high];
    }
    canvas.getContext("2d").drawImage(rfb.canvas, x, y, width, height, 0, 0, wide, high);
  }
}
