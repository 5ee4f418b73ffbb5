// Which presses of a letter are the wall's; whoever wishes it turns them off (WCAG 2.1.4).

import { lettersAllowed } from "./keys.js";

/** Whether this press is that letter and nothing else: no modifier, no field, no menu, no dialog. */
export function isLetter(event, letter) {
  return event.key.toLowerCase() === letter && !event.ctrlKey && !event.altKey && !event.metaKey
    && !event.defaultPrevented && lettersAllowed()
    && !event.target.closest("input:not([type=checkbox]), select, textarea, dialog, [role=menu]");
}
