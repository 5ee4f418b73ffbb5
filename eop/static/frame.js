// The banner's menus: one open at a time, closed by Escape or a press elsewhere. The section one
// is in, in a list that a phone scrolls sideways, is brought into sight.

const menus = [...document.querySelectorAll(".banner details")];

document.addEventListener("click", (event) => {
  for (const menu of menus) {
    if (!menu.contains(event.target)) {
      menu.open = false;
    }
  }
});

document.addEventListener("keydown", (event) => {
  const open = menus.find((menu) => menu.open);
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
});

document
  .querySelector(".side [aria-current]")
  ?.scrollIntoView({ inline: "center", block: "nearest", behavior: "instant" });
