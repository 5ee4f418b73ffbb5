// What scripts of every page need of it.

/** The element of that id, or `null`. */
export const byId = (id) => document.getElementById(id);
