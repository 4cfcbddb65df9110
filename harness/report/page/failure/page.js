"use strict";
// Walks through the steps of a story: a row of the lanes, its turn and the strips after it, together.
(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  function told(row) {
    const said = row.querySelector(".say");
    const holds = said.querySelector("small")?.textContent ?? "";
    const text = said.textContent.slice(0, said.textContent.length - holds.length).trim();
    return row.querySelector(".at").textContent + ": " + text + (holds === "" ? "" : "; " + holds);
  }

  function walk(root) {
    const name = root.dataset.walk;
    const rows = [...root.querySelectorAll(".row")];
    const strips = [...root.querySelectorAll(".strip")];
    const turns = [...root.closest(".failure").querySelectorAll(".turns > li")];
    const stepper = root.querySelector(".stepper");
    const now = stepper.querySelector(".now");
    const failing = rows.findIndex((row) => row.classList.contains("fails"));
    const number = (row) => Number(row.id.slice(name.length + 1));
    let at = -1;

    function show(to, moves) {
      at = Math.max(0, Math.min(rows.length - 1, to));
      const row = rows[at];
      for (const other of rows) {
        other.classList.toggle("now", other === row);
        if (other === row) other.setAttribute("aria-current", "step");
        else other.removeAttribute("aria-current");
      }
      for (const turn of turns) turn.classList.toggle("now", turn.dataset.turn === row.dataset.turn);
      const after = strips.filter((strip) => Number(strip.dataset.row) <= number(row));
      const strip = after.at(-1) ?? strips[0];
      for (const other of strips) other.classList.toggle("now", other === strip);
      now.textContent = "Event " + (at + 1) + " of " + rows.length + ", " + told(row);
      for (const button of stepper.querySelectorAll("button")) {
        const to = target(button.dataset.go);
        button.setAttribute("aria-disabled", String(to === undefined || to === at || to < 0 || to >= rows.length));
      }
      if (moves) {
        row.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
        history.replaceState(null, "", "#" + row.id);
      }
    }

    function target(key) {
      switch (key) {
        case "ArrowLeft": return at - 1;
        case "ArrowRight": return at + 1;
        case "Home": return 0;
        case "End": return rows.length - 1;
        case "f": return failing < 0 ? undefined : failing;
        default: return undefined;
      }
    }

    root.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      // What is wider than its place is scrolled by these keys; the buttons know them everywhere.
      const region = event.target;
      const scrolls = region.scrollWidth > region.clientWidth && getComputedStyle(region).overflowX === "auto";
      if (event.key !== "f" && scrolls) return;
      const to = target(event.key);
      if (to === undefined) return;
      event.preventDefault();
      show(to, true);
    });
    stepper.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      const to = button ? target(button.dataset.go) : undefined;
      if (to !== undefined) show(to, true);
    });
    root.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (!row || String(getSelection()) !== "") return;
      root.querySelector(".lanes").focus({ preventScroll: true });
      show(rows.indexOf(row), true);
    });
    const follow = () => {
      const found = rows.findIndex((row) => "#" + row.id === location.hash);
      if (found < 0) return;
      root.closest("details").open = true;
      show(found, false);
      rows[found].scrollIntoView({ block: "center" });
    };
    addEventListener("hashchange", follow);
    stepper.hidden = false;
    root.classList.add("stepping");
    show(failing < 0 ? rows.length - 1 : failing, false);
    follow();
  }

  for (const root of document.querySelectorAll(".walk")) walk(root);
})();
