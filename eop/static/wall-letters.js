// Whether keys of a single letter do something: who wishes it turns them off (WCAG 2.1.4).

export function lettersAllowed() {
  return document.body.dataset.singleKeys !== "off";
}

/** Whether this press is that letter and nothing else: no modifier, no field, no menu, no dialog. */
export function isLetter(event, letter) {
  return event.key.toLowerCase() === letter && !event.ctrlKey && !event.altKey && !event.metaKey
    && !event.defaultPrevented && lettersAllowed()
    && !event.target.closest("input:not([type=checkbox]), select, textarea, dialog, [role=menu]");
}
