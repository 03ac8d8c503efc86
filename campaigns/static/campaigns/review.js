/* The page of campaign review: keys and ready-made words. The page works without it. */
"use strict";

document.querySelector("#refused")?.focus();

for (const preset of document.querySelectorAll("[data-preset]")) {
  preset.addEventListener("change", () => {
    const words = document.getElementById(preset.dataset.preset);
    words.value = [words.value.trim(), preset.value].filter(Boolean).join("\n\n");
    preset.selectedIndex = 0;
    words.focus();
  });
}

/* A letter goes somewhere or puts Enter on a button; none decides by itself. */
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const key = event.key.toLowerCase();
  if (!/^[a-z]$/.test(key)) return;
  const place = document.querySelector(`[data-focus=${key}]`);
  const link = document.querySelector(`[data-key=${key}]`);
  if (!place && !link) return;
  event.preventDefault();
  if (place) place.focus();
  else link.click();
});
