// The door's one button of its own: show or hide what was typed as password.

const button = document.getElementById("reveal");
const field = document.getElementById("p");

button.hidden = false;
button.addEventListener("click", () => {
  const shown = field.type === "text";
  field.type = shown ? "password" : "text";
  button.setAttribute("aria-pressed", String(!shown));
});
