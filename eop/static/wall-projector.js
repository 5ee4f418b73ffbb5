// The projector mode: for eyes that are not the teacher's. Workstation names only, nothing of a student.

import { clearToasts, toast } from "./wall-toast.js";
import { t } from "./words.js";

const KEPT = "eop.projector"; // for this tab: who comes back from a screen finds it as it was
const SAID = "eop.projector.said";

const byId = (id) => document.getElementById(id);

export class Projector {
  #changed;
  #opener = null;

  constructor(changed) {
    this.#changed = changed;
    byId("projector-on").addEventListener("click", () => this.enter());
    byId("projector-off").addEventListener("click", () => this.leave());
    if (sessionStorage.getItem(KEPT) !== null) {
      this.#set(true);
    }
  }

  get isOn() {
    return document.documentElement.dataset.mode === "projector";
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
    sessionStorage.setItem(KEPT, "on");
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
    sessionStorage.removeItem(KEPT);
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
