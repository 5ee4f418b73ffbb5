// What a teacher does on the wall beside looking: selects, acts, sets in the light, zooms, projects.

import { WallBar } from "./wall-bar.js";
import { Band } from "./wall-band.js";
import { Chooser } from "./wall-choose.js";
import { Large } from "./wall-large.js";
import { isLetter } from "./keys.js";
import { Projector } from "./wall-projector.js";
import { Selection } from "./wall-selection.js";
import { Spotlight } from "./wall-spotlight.js";
import { Zoom } from "./wall-zoom.js";
import { t } from "./words.js";

export class WallViews {
  #wall;
  #large;
  #selection;
  #chooser;
  #bar;
  #spotlight;
  #zoom;
  #projector;

  /** `shown()` is called when the page shows other pictures, `sized()` when the wall has other room. */
  constructor(page, wall, tiles, { shown, sized }) {
    this.#wall = wall;
    this.#large = new Large(shown);
    this.#selection = new Selection(() => {
      this.#chooser.draw();
      this.#bar.write();
    });
    this.#chooser = new Chooser(wall, tiles, this.#selection, () => this.#bar.write());
    new Band(wall, this.#selection);
    this.#spotlight = new Spotlight(wall, tiles, this.#large, page.icons);
    this.#zoom = new Zoom(wall, tiles, this.#large, page.icons);
    this.#projector = new Projector(() => {
      tiles.forEach((tile) => tile.lead());
      sized();
    });
    const context = { page, large: this.#large };
    this.#bar = new WallBar(page, tiles, this.#chooser, this.#selection, context, () => this.#views());
    document.getElementById("spotlight-open").addEventListener("click", () => this.#light());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** The numbers whose pictures are wanted large. */
  get large() {
    return this.#large.numbers;
  }

  /** States and pictures have changed. */
  write() {
    this.#bar.write();
  }

  /** A workstation is no longer on the wall. */
  forget(number) {
    this.#selection.forget(number);
    this.#spotlight.forget(number);
  }

  /** The selected workstations, or else all that are shown, in their order. */
  get #some() {
    const { shown } = this.#chooser;
    const selected = shown.filter((number) => this.#selection.has(number));
    return selected.length > 0 ? selected : shown;
  }

  #light() {
    if (this.#spotlight.isOpen) {
      this.#spotlight.close();
    } else {
      this.#spotlight.open(this.#some);
    }
  }

  #slides() {
    if (this.#spotlight.isRunning) {
      this.#spotlight.slide(false);
    } else {
      this.#spotlight.slide(true, this.#spotlight.isOpen ? null : this.#some);
    }
  }

  /** The menu's entries about the wall itself. */
  #views() {
    const full = document.getElementById("full");
    return [
      { word: t("Select all"), icon: "tick", key: "Ctrl+A", run: () => this.#chooser.selectAll() },
      { word: t("Spotlight"), icon: "star", pressed: this.#spotlight.isOpen, run: () => this.#light() },
      { word: t("Slideshow"), icon: "run", pressed: this.#spotlight.isRunning, run: () => this.#slides() },
      { word: t("Projector"), icon: "projector", key: "P", run: () => this.#projector.enter() },
      ...(full.hidden ? [] : [{ word: t("Full screen"), icon: "full", key: "F", run: () => full.click() }]),
    ];
  }

  #key(event) {
    if (event.key === "Escape") {
      this.#escape(event);
    } else if (!this.#wall.contains(event.target) && !this.#isProjecting(event)) {
      return;
    } else if (isLetter(event, "p")) {
      event.preventDefault();
      this.#projector.toggle();
    } else if (isLetter(event, "f")) {
      event.preventDefault();
      document.getElementById("full").click();
    }
  }

  /** In the projector mode the button that leaves it has the focus. */
  #isProjecting(event) {
    return this.#projector.isOn && event.target.id === "projector-off";
  }

  /** One thing at a time, the innermost first. */
  #escape(event) {
    const elsewhere = event.target.closest?.("dialog, [role=menu], input:not([type=checkbox]), select, .banner");
    if (event.defaultPrevented || elsewhere || document.fullscreenElement) {
      return;
    }
    if (this.#zoom.isOpen) {
      this.#zoom.close();
    } else if (this.#projector.isOn) {
      this.#projector.leave();
    } else if (this.#chooser.isActive) {
      this.#chooser.clear();
    }
  }
}
