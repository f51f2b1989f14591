
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
for (const block of document.querySelectorAll("pre")) {
  const button = Object.assign(document.createElement("button"), { className: "copy", type: "button", textContent: "Copy" });
  const text = block.textContent;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1200);
  });
  block.append(button);
}
