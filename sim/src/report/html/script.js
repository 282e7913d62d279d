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

  const reel = document.getElementById("reel");
  if (reel) project(JSON.parse(reel.textContent));

  // The tables of one moment; rows that were not there at the moment before are marked.
  function project({ tables, rows, frames }) {
    const panel = document.getElementById("tables");
    const slider = panel.querySelector("input");
    const add = (parent, tag, text, name) => {
      const child = parent.appendChild(document.createElement(tag));
      if (text !== undefined) child.textContent = text;
      if (name) child.className = name;
      return child;
    };
    const draw = () => {
      const now = Number(slider.value);
      const { at, tables: shown } = frames[now];
      const before = now > 0 ? frames[now - 1].tables : null;
      panel.querySelector("output").textContent =
        `${at} s · state ${now + 1} of ${frames.length}`;
      const place = panel.querySelector(".frames");
      place.replaceChildren();
      if (!shown) add(place, "p", "The server is down.", "hint");
      tables.forEach(({ name, about, columns }, index) => {
        if (!shown) return;
        const head = add(place, "h3", `${name} `);
        add(head, "small", `${about}, ${shown[index].length || "no"} row${shown[index].length === 1 ? "" : "s"}`);
        if (!shown[index].length) return;
        const table = add(add(place, "div", undefined, "wide"), "table");
        const line = add(add(table, "thead"), "tr");
        for (const column of columns) add(line, "th", column);
        const body = add(table, "tbody");
        for (const row of shown[index]) {
          const fresh = !before || !before[index].includes(row);
          const cells = add(body, "tr", undefined, fresh ? "fresh" : "");
          for (const cell of rows[row]) add(cells, "td", cell).title = cell;
        }
      });
    };
    const [back, on] = panel.querySelectorAll("button");
    back.addEventListener("click", () => { slider.stepDown(); draw(); });
    on.addEventListener("click", () => { slider.stepUp(); draw(); });
    slider.addEventListener("input", draw);
    draw();
  }

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
