// Before the first picture of the page, so that it does not flash: the theme that was chosen here, if any.
try {
  const chosen = localStorage.getItem('novavms.theme');
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
} catch {
  // no storage: the system's theme
}
