/* The pages of identity review: keys, the enlarged paper, ready-made messages. The page works without it. */
"use strict";

const papers = [...document.querySelectorAll("[data-paper]")];
let current = papers.find((paper) => `#${paper.id}` === location.hash) || papers[0];

const choose = (paper) => {
  current = paper;
  paper.focus({ preventScroll: true });
  paper.scrollIntoView({ block: "nearest" });
};
for (const paper of papers) paper.addEventListener("focusin", () => { current = paper; });
if (location.hash && current && `#${current.id}` === location.hash) choose(current);

/* --- Enlarged ------------------------------------------------------------------------------------------------------ */

const viewer = document.querySelector(".viewer");
const stage = viewer.querySelector(".stage");
const image = stage.querySelector("img");
const view = { scale: 1, turn: 0, x: 0, y: 0 };
const draw = () => { image.style.transform = `translate(${view.x}px, ${view.y}px) rotate(${view.turn}deg) scale(${view.scale})`; };
const zoom = (factor) => {
  view.scale = Math.min(8, Math.max(1, view.scale * factor));
  if (view.scale === 1) view.x = view.y = 0;
  draw();
};
const enlarge = (paper) => {
  const source = paper.querySelector("[data-zoom] img");
  if (!source) return;
  image.src = source.src;
  image.alt = source.alt;
  viewer.querySelector("b").textContent = source.alt;
  Object.assign(view, { scale: 1, turn: 0, x: 0, y: 0 });
  draw();
  viewer.showModal();
};
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => enlarge(button.closest("[data-paper]")));
}
viewer.querySelector("[data-turn]").addEventListener("click", () => { view.turn += 90; draw(); });
viewer.querySelector("[data-in]").addEventListener("click", () => zoom(1.4));
viewer.querySelector("[data-out]").addEventListener("click", () => zoom(1 / 1.4));
viewer.querySelector("[data-close]").addEventListener("click", () => viewer.close());
stage.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15); }, { passive: false });
stage.addEventListener("pointerdown", (event) => { event.preventDefault(); stage.setPointerCapture(event.pointerId); });
stage.addEventListener("pointermove", (event) => {
  if (!stage.hasPointerCapture(event.pointerId)) return;
  view.x += event.movementX;
  view.y += event.movementY;
  draw();
});

/* --- Words --------------------------------------------------------------------------------------------------------- */

for (const preset of document.querySelectorAll("[data-preset]")) {
  preset.addEventListener("change", () => {
    const words = preset.closest(".field").querySelector("textarea");
    words.value = [words.value.trim(), preset.value].filter(Boolean).join("\n\n");
    preset.selectedIndex = 0;
    words.focus();
  });
}
for (const details of document.querySelectorAll(".judge details")) {
  details.addEventListener("toggle", () => { if (details.open) details.querySelector("select").focus(); });
}

/* --- Keys ---------------------------------------------------------------------------------------------------------- */

const keys = {
  v: () => current?.querySelector("[data-verify]")?.click(),
  r: () => { const details = current?.querySelector(".judge details"); if (details) details.open = true; },
  z: () => current && enlarge(current),
  d: () => { document.querySelector("#decision")?.scrollIntoView({ block: "end" }); document.querySelector("#decision input:enabled:not([type=hidden])")?.focus(); },
  q: () => document.querySelector("[data-key=q]")?.click(),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=radio]), textarea, select")) return;
  if (viewer.open) {
    const moves = { "+": () => zoom(1.4), "-": () => zoom(1 / 1.4), t: () => { view.turn += 90; draw(); }, z: () => viewer.close() };
    moves[event.key.toLowerCase()]?.();
    return;
  }
  const number = Number(event.key);
  if (number >= 1 && number <= papers.length) choose(papers[number - 1]);
  else if (keys[event.key.toLowerCase()]) { event.preventDefault(); keys[event.key.toLowerCase()](); }
});
