// Another place that shows a workstation's picture: large, with its name and how it is.

import { element, icon } from "./wall-tile.js";

/** A tile of its own that follows a tile of the wall until `end()`. */
export class Follower {
  #sprite;
  #parts = {};
  #url = null;
  #said = "";
  element;

  constructor(tile, sprite) {
    this.#sprite = sprite;
    const parts = this.#parts;
    parts.image = element("img");
    parts.image.alt = "";
    parts.image.draggable = false;
    parts.band = element("span", "band");
    parts.bands = element("span", "tile-bands", parts.band);
    parts.void = element("span", "tile-void");
    parts.name = element("span", "tile-name");
    parts.age = element("span", "tile-age");
    parts.where = element("span", "tile-where");
    parts.state = element("span", "tile-state");
    const picture = element("span", "tile-pic", parts.image, parts.bands, parts.void);
    const foot = element("span", "tile-foot", element("span", "tile-row", parts.name, parts.age),
      element("span", "tile-row", parts.where, parts.state));
    parts.told = element("span", "vh");
    picture.setAttribute("aria-hidden", "true");
    foot.setAttribute("aria-hidden", "true");
    parts.toldPlain = element("span", "vh when-projector");
    parts.open = element("a", "tile-open", picture, foot, parts.told, parts.toldPlain);
    parts.open.draggable = false;
    this.element = element("li", "tile", parts.open);
    this.element.dataset.of = tile.id;
    this.end = tile.mirror((shown, url) => this.#draw(shown, url));
  }

  #draw(tile, url) {
    const { view } = tile;
    if (url !== this.#url) {
      this.#url = url;
      if (url === null) {
        this.#parts.image.removeAttribute("src");
      } else {
        this.#parts.image.src = url;
      }
    }
    const said = view && JSON.stringify([view, tile.title, tile.name, tile.room, tile.href]);
    if (said && said !== this.#said) {
      this.#said = said;
      this.#write(tile, view);
    }
  }

  #write(tile, view) {
    const parts = this.#parts;
    const hasPicture = view.fresh === "live" || view.fresh === "stale";
    this.element.toggleAttribute("data-free", tile.user === null);
    this.element.toggleAttribute("data-old", view.fresh === "stale");
    this.element.dataset.fresh = view.fresh;
    parts.open.href = tile.href;
    parts.told.textContent = `${tile.title}, ${tile.name}, ${view.word}`;
    parts.toldPlain.textContent = tile.name;
    parts.name.textContent = tile.title;
    parts.where.textContent = tile.user === null ? tile.room : tile.name;
    parts.age.textContent = view.age;
    parts.state.replaceChildren(icon(this.#sprite, view.sign), view.short);
    if (view.tone) {
      parts.state.dataset.tone = view.tone;
    } else {
      delete parts.state.dataset.tone;
    }
    parts.image.hidden = !hasPicture;
    parts.void.hidden = hasPicture;
    parts.bands.hidden = view.fresh !== "stale";
    if (view.fresh === "stale") {
      parts.band.dataset.tone = "warn";
      parts.band.replaceChildren(icon(this.#sprite, view.sign), element("span", "", `${view.word}, ${view.why}`));
    }
    if (!hasPicture) {
      parts.void.dataset.tone = view.tone === "bad" ? "bad" : "";
      parts.void.replaceChildren(icon(this.#sprite, view.sign), element("strong", "", view.word), element("em", "", view.why));
    }
  }
}
