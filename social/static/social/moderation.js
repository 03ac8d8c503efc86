/* The pages of moderation: keys and ready-made words. The pages work without it. */
"use strict";

const form = document.querySelector("[data-decide]");
const next = document.querySelector("[data-next]");
const refused = document.querySelector("#refused");
if (refused) refused.focus();

for (const preset of document.querySelectorAll("[data-preset]")) {
  preset.addEventListener("change", () => {
    const words = preset.closest(".field").querySelector("textarea");
    words.value = [words.value.trim(), preset.value].filter(Boolean).join("\n\n");
    preset.selectedIndex = 0;
    words.focus();
  });
}

/* A letter chooses a decision and puts Enter on the button that carries it out. */
const choose = (input) => {
  input.checked = true;
  const note = form.elements.note;
  (input.value === "note" ? note : next).focus();
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input[type=text], input[type=search], textarea, select")) return;
  const key = event.key.toLowerCase();
  const action = form && [...form.querySelectorAll("[data-action]")].find((input) => input.dataset.action === key);
  const target = action || (key === "n" && next) || (/^[a-z]$/.test(key) && document.querySelector(`[data-key=${key}]`));
  if (!target) return;
  event.preventDefault();
  if (action) choose(action);
  else target.click();
});
