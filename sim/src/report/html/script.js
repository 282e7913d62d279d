// A message opens beside the ladder; a name shows only what concerns it. All text is taken from
// the page itself.
(() => {
  const panel = document.getElementById("panel");
  const ladder = document.querySelector("svg.ladder");
  const arrows = [...document.querySelectorAll("a.m")];
  let open = null;

  const close = () => {
    if (open) open.classList.remove("open");
    open = null;
    panel.hidden = true;
  };

  const show = (arrow) => {
    close();
    const text = document.getElementById(arrow.getAttribute("href").slice(1));
    const details = text.parentElement;
    const head = document.createElement("h3");
    head.textContent = details.querySelector("summary").textContent.trim();
    const button = document.createElement("button");
    button.textContent = "×";
    button.title = "Close (Escape)";
    button.addEventListener("click", close);
    const body = text.cloneNode(true);
    body.removeAttribute("id");
    panel.replaceChildren(button, head, details.querySelector("p").cloneNode(true), body);
    panel.hidden = false;
    panel.scrollTop = 0;
    open = arrow;
    arrow.classList.add("open");
  };

  for (const arrow of arrows) {
    arrow.addEventListener("click", (event) => {
      event.preventDefault();
      if (open === arrow) close();
      else show(arrow);
    });
  }

  document.addEventListener("keydown", (event) => {
    if (!open) return;
    if (event.key === "Escape") close();
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const visible = arrows.filter(
      (arrow) => !ladder.classList.contains("chosen") || arrow.classList.contains("near"));
    const next = by && visible[visible.indexOf(open) + by];
    if (next) {
      event.preventDefault();
      show(next);
      next.scrollIntoView({ block: "nearest" });
    }
  });

  for (const name of document.querySelectorAll(".heads button")) {
    name.addEventListener("click", () => {
      const on = name.classList.toggle("on");
      for (const other of document.querySelectorAll(".heads button")) {
        if (other !== name) other.classList.remove("on");
      }
      ladder.classList.toggle("chosen", on);
      for (const drawn of ladder.querySelectorAll("[data-p]")) {
        const near = drawn.dataset.p.split(" ").includes(name.dataset.party);
        drawn.classList.toggle("near", near);
      }
    });
  }
})();
