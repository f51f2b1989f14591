
const search = document.getElementById("search");
const links = [...document.querySelectorAll("nav section a")];
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const link of links) link.hidden = !words.every((word) => link.dataset.find.includes(word));
  for (const part of document.querySelectorAll("nav section")) part.hidden = !part.querySelector("a:not([hidden])");
});
search.addEventListener("keydown", (event) => {
  const first = links.find((link) => !link.hidden);
  if (event.key === "Enter" && first) first.click();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== search) { event.preventDefault(); search.focus(); }
});
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting)
    for (const link of links) link.classList.toggle("here", link.hash === "#" + entry.target.id);
}, { rootMargin: "0px 0px -75% 0px" });
for (const article of document.querySelectorAll("article")) seen.observe(article);
const LANGUAGE = "novavms-language";
const lists = [...document.querySelectorAll("[role=tablist]")];
const choose = (language) => {
  for (const list of lists) {
    const tabs = [...list.children];
    if (!tabs.some((tab) => tab.dataset.language === language)) continue;
    list.hidden = false;
    for (const tab of tabs) {
      const chosen = tab.dataset.language === language;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
    }
  }
};
const prefer = (tab) => {
  const before = tab.getBoundingClientRect().top;
  choose(tab.dataset.language);
  tab.focus({ preventScroll: true });
  scrollBy({ top: tab.getBoundingClientRect().top - before, behavior: "instant" });
  try { localStorage.setItem(LANGUAGE, tab.dataset.language); } catch { /* not kept, then */ }
};
for (const list of lists) {
  const tabs = [...list.children];
  list.addEventListener("click", (event) => { if (event.target.role === "tab") prefer(event.target); });
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(event.target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    prefer(tabs.at(to % tabs.length));
  });
}
if (lists.length) {
  let kept = null;
  try { kept = localStorage.getItem(LANGUAGE); } catch { /* forbidden here */ }
  choose(lists[0].children[0].dataset.language);
  choose(kept);
}
for (const block of document.querySelectorAll("pre")) {
  const frame = Object.assign(document.createElement("div"), { className: "code" });
  const button = Object.assign(document.createElement("button"), { className: "copy", type: "button", textContent: "Copy" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = "Copied";
    } catch { // browsers have no clipboard for pages over plain HTTP
      getSelection().selectAllChildren(block);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 1200);
  });
  block.replaceWith(frame);
  frame.append(block, button);
}
