// The latency pill: how long a sign of life takes, and behind it what else the link does.

import { byId } from "./page.js";
import { Latency, bandwidthSaid, encodingsSaid, latencySaid } from "./screen-figures.js";
import { t } from "./words.js";

const EVERY_MS = 2000; // one sign of life; and the span of the figures
const SOON_MS = 500; // after the opening: by then the far end has said how it can be asked

export class Meter {
  #rfb = null;
  #bytes;
  #felt;
  #latency = new Latency();
  #last = null; // {at, bytes, frames}

  /** `bytes()` gives how many came so far; `felt(ms)` is told each round trip. */
  constructor(bytes, felt) {
    this.#bytes = bytes;
    this.#felt = felt;
    byId("meter").addEventListener("toggle", () => this.#write());
    setInterval(() => this.#tick(), EVERY_MS);
  }

  use(rfb) {
    this.#rfb = rfb;
    this.#latency.forget();
    this.#last = null;
    byId("meter").hidden = rfb === null;
    byId("meter").open = false;
    this.#pill();
    setTimeout(() => this.#tick(), SOON_MS);
  }

  #tick() {
    const rfb = this.#rfb;
    if (rfb === null || document.hidden) {
      return;
    }
    rfb.measure((milliseconds) => {
      if (rfb === this.#rfb) {
        this.#latency.add(milliseconds);
        this.#felt(milliseconds);
        this.#pill();
      }
    });
    this.#write();
  }

  #pill() {
    const { text, pace } = latencySaid(this.#latency.now);
    byId("meter-word").textContent = text;
    byId("meter").dataset.pace = pace;
    byId("meter-tick").hidden = pace !== "quick";
  }

  #write() {
    this.#pill();
    const rfb = this.#rfb;
    if (rfb === null) {
      return;
    }
    byId("meter-encoding").textContent = encodingsSaid(rfb.encodings);
    byId("meter-size").textContent = t("{width} × {height} pixels", rfb.size);
    const now = { at: performance.now(), bytes: this.#bytes(), frames: rfb.frames };
    const last = this.#last;
    if (last !== null && now.at - last.at < EVERY_MS / 2) {
      return; // too short a span to say anything of it
    }
    this.#last = now;
    const language = document.documentElement.lang;
    const number = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    const seconds = last === null ? 0 : (now.at - last.at) / 1000;
    const rate = (amount) => (seconds === 0 ? null : amount / seconds);
    const bits = rate(8 * (now.bytes - (last?.bytes ?? 0)));
    const pictures = rate(now.frames - (last?.frames ?? 0));
    byId("meter-bandwidth").textContent = bits === null ? t("measuring") : bandwidthSaid(bits, language);
    byId("meter-frames").textContent = pictures === null ? t("measuring") : number.format(pictures);
  }
}
