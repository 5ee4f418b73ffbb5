// How a picture of a screen is named as a file. Pure.

/** Workstation, day and time, and nothing that a file system minds: "pc-12_2026-11-21_10-42-07.png". */
export function fileName(name, at, ending) {
  const stamp = new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString();
  const time = stamp.slice(0, 19).replace("T", "_").replaceAll(":", "-");
  return `${name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^\.+/, "")}_${time}.${ending}`;
}
