// Text as keys: X11 keysyms, and what a tablet's keyboard has changed in a field. Pure.

// https://www.x.org/releases/current/doc/xproto/x11protocol.html, keysym encoding
export const KEYSYMS = {
  BackSpace: 0xff08, Tab: 0xff09, Return: 0xff0d, Escape: 0xff1b,
  Home: 0xff50, ArrowLeft: 0xff51, ArrowUp: 0xff52, ArrowRight: 0xff53, ArrowDown: 0xff54,
  PageUp: 0xff55, PageDown: 0xff56, End: 0xff57, PrintScreen: 0xff61, Delete: 0xffff,
  CapsLock: 0xffe5, ControlLeft: 0xffe3, AltLeft: 0xffe9, MetaLeft: 0xffeb, AltRight: 0xfe03,
  F4: 0xffc1,
};
const CONTROLS = new Map([["\n", KEYSYMS.Return], ["\t", KEYSYMS.Tab], ["\b", KEYSYMS.BackSpace]]);
const MODIFIER_KEYS = new Set([0xfe03, 0xff7e, 0xff7f]); // level three, mode switch, Num Lock

/** The keysym that types a character, or 0 for one that no key types. */
export function keysymOf(character) {
  const code = character.codePointAt(0);
  if (CONTROLS.has(character)) {
    return CONTROLS.get(character);
  }
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
    return 0;
  }
  return code <= 0xff ? code : 0x0100_0000 + code;
}

/** Whether a keysym changes only what other keys do. */
export function isModifier(keysym) {
  return (keysym >= 0xffe1 && keysym <= 0xffee) || MODIFIER_KEYS.has(keysym);
}

/** The keysyms of a text, a line end of any kind as one Return. */
export function keysymsOf(text) {
  return [...text.replace(/\r\n?/g, "\n")].map(keysymOf).filter((keysym) => keysym !== 0);
}

/** What turns `before` into `after` at its end: `{erased, typed}`, characters and text. */
export function edits(before, after) {
  const [old, now] = [[...before], [...after]];
  let same = 0;
  while (same < old.length && same < now.length && old[same] === now[same]) {
    same += 1;
  }
  return { erased: old.length - same, typed: now.slice(same).join("") };
}

/** How many characters a clipboard of the old kind, Latin-1, cannot carry. */
export function beyondLatin1(text) {
  return [...text].filter((character) => character.codePointAt(0) > 0xff).length;
}
