// A picture of the screen as a file, named after the workstation and the time.

import { fileName } from "./file-name.js";
import { byId } from "./page.js";
import { tell } from "./screen-say.js";
import { t } from "./words.js";

export class Shot {
  #page;
  #view;
  #rfb = null;

  constructor(page, view) {
    this.#page = page;
    this.#view = view;
    byId("shot").addEventListener("click", () => this.#take());
  }

  use(rfb) {
    this.#rfb = rfb;
    byId("shot").setAttribute("aria-disabled", String(rfb === null));
  }

  #take() {
    if (this.#rfb === null) {
      tell(t("Not connected"));
      return;
    }
    const { x, y, width, height } = this.#view.shown;
    const picture = document.createElement("canvas");
    picture.width = width;
    picture.height = height;
    picture.getContext("2d").drawImage(this.#rfb.canvas, x, y, width, height, 0, 0, width, height);
    const name = fileName(this.#page.workstation_name, Date.now(), "png");
    picture.toBlob((blob) => this.#give(blob, name), "image/png");
  }

  #give(blob, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // a slow disk may still read it
    tell(t("Saved as {name}.", { name }));
  }
}
