// Forms for a new password: show or hide what is typed, and say at once when the two differ.

/** Make the fields within `root` work; once for each. */
export function prepare(root) {
  for (const box of root.querySelectorAll(".pass")) {
    const field = box.querySelector("input");
    const button = box.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
    });
  }

  for (const again of root.querySelectorAll("input[name=again]")) {
    const first = again.form.elements.password;
    const compare = () => {
      const differ = again.value !== "" && again.value !== first.value;
      again.setCustomValidity(differ ? again.dataset.differ : "");
    };
    first.addEventListener("input", compare);
    again.addEventListener("input", compare);
  }
}

prepare(document);
