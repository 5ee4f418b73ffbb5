// The projector mode: for eyes that are not the teacher's. Workstation names only, nothing of a student.

import { byId } from "./page.js";
import { isKept, isProjecting, keep, takeHidden } from "./projecting.js";
import { clearToasts, toast } from "./wall-toast.js";
import { t } from "./words.js";

const SAID = "eop.projector.said";

export class Projector {
  #changed;
  #opener = null;

  constructor(changed) {
    this.#changed = changed;
    byId("projector-on").addEventListener("click", () => this.enter());
    byId("projector-off").addEventListener("click", () => this.leave());
    if (takeHidden() || isKept()) {
      keep(true);
      this.#set(true);
    }
  }

  get isOn() {
    return isProjecting();
  }

  toggle() {
    if (this.isOn) {
      this.leave();
    } else {
      this.enter();
    }
  }

  enter() {
    this.#opener = document.activeElement;
    keep(true);
    clearToasts();
    this.#set(true);
    byId("projector-off").focus();
    if (sessionStorage.getItem(SAID) === null) {
      sessionStorage.setItem(SAID, "yes");
      toast(t("Names are hidden. The pictures themselves may show names."), { failed: true });
    }
  }

  leave() {
    const hadFocus = document.activeElement === byId("projector-off");
    keep(false);
    clearToasts(); // they speak of a mode that is over
    this.#set(false);
    if (hadFocus) {
      (this.#opener?.isConnected ? this.#opener : byId("more")).focus();
    }
  }

  #set(on) {
    if (on) {
      document.documentElement.dataset.mode = "projector";
    } else {
      delete document.documentElement.dataset.mode;
    }
    this.#changed();
  }
}
