/** Over the whole screen; what is there, back. */
export function fill(element: HTMLElement | null): void {
  const done = document.fullscreenElement === null ? element?.requestFullscreen() : document.exitFullscreen();
  void done?.catch(() => undefined);
}
