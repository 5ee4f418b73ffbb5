// Whether names are hidden: in the projector mode of a wall, and on what is opened from it.

const KEPT = "eop.projector"; // for this tab: who comes back from a screen finds it as it was
const HIDDEN = "names=hidden"; // of an address: the site writes no name into that page

/** Whether this page hides names now. */
export function isProjecting() {
  return document.documentElement.dataset.mode === "projector";
}

/** Whether this tab hides names. */
export function isKept() {
  try {
    return sessionStorage.getItem(KEPT) !== null;
  } catch {
    return false; // a browser that keeps nothing: the addresses still say it
  }
}

export function keep(on) {
  try {
    if (on) {
      sessionStorage.setItem(KEPT, "on");
    } else {
      sessionStorage.removeItem(KEPT);
    }
  } catch {
    // as above
  }
}

/** Where the screen of a workstation is opened, with or without names. */
export function screenAddress(page, id) {
  const address = `${page.screens}${encodeURIComponent(id)}?${page.query}`;
  return isProjecting() ? `${address}&${HIDDEN}` : address;
}

/** This page's address, which hides names. */
export function hiddenAddress() {
  return `${location.pathname}${location.search}${location.search === "" ? "?" : "&"}${HIDDEN}`;
}

/** Whether this page was opened to hide names. The address forgets it: the tab keeps it. */
export function takeHidden() {
  const address = new URL(location.href);
  if (address.searchParams.get("names") !== "hidden") {
    return false;
  }
  address.searchParams.delete("names");
  history.replaceState(history.state, "", address);
  return true;
}
