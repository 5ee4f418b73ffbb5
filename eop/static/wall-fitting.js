// The tools above the wall stay in one row: where they would wrap, some give way, in four steps: words first.
// What leaves the row is in the menu of the bar below, too; a word that leaves keeps its icon.

const STEPS = 4; // the style sheet says what each step takes away

const bar = document.querySelector(".wall-tools:not(.plan-tools)");

/** Whether its visible tools stand in more than one row. */
function wraps() {
  const middles = [...bar.children]
    .filter((tool) => tool.offsetWidth > 0 && tool.offsetHeight > 0)
    .map((tool) => tool.offsetTop + tool.offsetHeight / 2);
  return Math.max(...middles) - Math.min(...middles) > bar.firstElementChild.offsetHeight / 2;
}

function fit() {
  if (bar.offsetWidth === 0) {
    return; // the seating plan is being changed
  }
  bar.dataset.tight = "0";
  for (let step = 1; step <= STEPS && wraps(); step += 1) {
    bar.dataset.tight = String(step);
  }
}

new ResizeObserver(fit).observe(bar);
new MutationObserver(fit).observe(bar, { subtree: true, attributeFilter: ["hidden"] });
