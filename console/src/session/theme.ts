/** Dark, light, or as the system is. Kept in this browser; public/theme.js applies it before the first picture. */
export type Theme = 'system' | 'dark' | 'light';

export function theme(): Theme {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === 'dark' || chosen === 'light' ? chosen : 'system';
}

export function setTheme(next: Theme): void {
  if (next === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = next;
  try {
    if (next === 'system') localStorage.removeItem('novavms.theme');
    else localStorage.setItem('novavms.theme', next);
  } catch {
    // no storage: until the next visit
  }
}
