// Who controls a workstation, in words.

import { t } from "./words.js";

/** The sentence of a tile; `who` is the login of who reads it. */
export function controlledBy(controllers, who) {
  if (controllers.length === 0) {
    return t("Controlled by a teacher"); // a server of before tells no names
  }
  const own = controllers.filter(({ login }) => login === who).map(() => t("you"));
  return t("Controlled by {names}", { names: [...own, ...namesOf(controllers, who)].join(", ") });
}

/** The names of the others. */
export function namesOf(controllers, who) {
  return controllers.filter(({ login }) => login !== who).map(({ name }) => name);
}
