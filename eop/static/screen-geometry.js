// Where one monitor, or all of them, lies in the window over the picture. Pure.

/**
 * `frame` is the size of the whole picture, `shown` the part of it to see, `space` the room there
 * is; all `{width, height}` in pixels, `shown` with its `x` and `y`. Gives the scale, the size of
 * the opening, and where the whole picture lies behind it.
 */
export function placed(frame, shown, space, fit) {
  const scale = fit ? Math.min(space.width / shown.width, space.height / shown.height) : 1;
  return {
    scale,
    opening: { width: Math.floor(shown.width * scale), height: Math.floor(shown.height * scale) },
    picture: {
      left: -shown.x * scale || 0, // never -0
      top: -shown.y * scale || 0,
      width: frame.width * scale,
      height: frame.height * scale,
    },
  };
}

/** The monitors a server told that can be looked at: inside the picture, from left to right. */
export function monitorsIn(frame, told) {
  const inside = told.filter((one) => one.width > 0 && one.height > 0
    && one.x + one.width <= frame.width && one.y + one.height <= frame.height);
  return inside.sort((a, b) => a.x - b.x || a.y - b.y);
}
