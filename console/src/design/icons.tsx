/** The icons: strokes on a 24 grid, drawn for this console. Always beside a word, or with a label on the control around them. */
const PATHS = {
  live: 'M3 5.500h18v11H3zM8 20h8M12 16.500V20M10 8.500v5l4.500-2.500z',
  camera: 'M3 8.5A1.5 1.5 0 0 1 4.5 7h10A1.5 1.5 0 0 1 16 8.5v7a1.5 1.5 0 0 1-1.5 1.5h-10A1.5 1.5 0 0 1 3 15.5zM16 11l5-3v8l-5-3',
  events: 'M4 5h16v11H4zM4 20h10M17 20h3M10 8.5v4l3.5-2z',
  recordings: 'M3 12h18M6 8v8M10.5 6v12M15 9v6M19 7v10',
  gateway: 'M4 13h16v6H4zM8 16h.01M12 16h.01M7 13l2-6M17 13l-2-6M12 4v.01M9 7a4 4 0 0 1 6 0',
  site: 'M12 21s7-6.2 7-11.5A7 7 0 0 0 5 9.500C5 14.800 12 21 12 21zM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  people: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20a6.500 6.500 0 0 1 13 0M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500a6.500 6.500 0 0 1 3.500 5.500',
  add: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  search: 'M10.500 17a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM15.500 15.500L20 20',
  check: 'M5 12.500l4.500 4.500L19 7.500',
  down: 'M6 9l6 6 6-6',
  left: 'M14.500 6l-6 6 6 6',
  right: 'M9.500 6l6 6-6 6',
  more: 'M12 5.500v.01M12 12v.01M12 18.500v.01',
  grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  list: 'M4 6h16M4 12h16M4 18h16',
  play: 'M7 5l12 7-12 7z',
  pause: 'M8 5v14M16 5v14',
  star: 'M12 3.800l2.500 5.200 5.700.8-4.100 4 1 5.700L12 16.800l-5.100 2.700 1-5.700-4.100-4 5.700-.8z',
  share: 'M18 8a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM6 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM18 21a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM8.200 10.800l7.600-4.100M8.200 13.200l7.600 4.100',
  download: 'M12 4v11M7 10.500l5 5 5-5M5 20h14',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5',
  edit: 'M4 20h4L19.500 8.500l-4-4L4 16zM13.500 6.500l4 4',
  key: 'M8 17a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM12 11l8.500-1M17 10.300v4',
  record: 'M12 18a6 6 0 1 0 0-12 6 6 0 0 0 0 12z',
  warn: 'M12 4l9 16H3zM12 10v4.500M12 17.200v.01',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400',
  moon: 'M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500z',
  person: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20.500a7.500 7.500 0 0 1 15 0',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  offline: 'M3 3l18 18M8.500 16a5 5 0 0 1 6.500-.500M5 12.500a10 10 0 0 1 4-2.400M13.500 9.700A10 10 0 0 1 19 12.500M12 19.500v.01',
  frameBack: 'M17 6l-8 6 8 6zM6.500 6v12',
  frameOn: 'M7 6l8 6-8 6zM17.500 6v12',
  move: 'M12 3v18M3 12h18M9.500 5.500L12 3l2.500 2.500M9.500 18.500L12 21l2.500-2.500M5.500 9.500L3 12l2.500 2.500M18.500 9.500L21 12l-2.500 2.500',
  expand: 'M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7',
  shrink: 'M20 10h-6V4M14 10l6-6M4 14h6v6M10 14l-6 6',
  screen: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  sound: 'M4 9.500h3.500L12 5.500v13L7.500 14.500H4zM15.500 9a4 4 0 0 1 0 6M18 6.500a8 8 0 0 1 0 11',
  mute: 'M4 9.500h3.500L12 5.500v13L7.500 14.500H4zM16 9.500l5 5M21 9.500l-5 5',
  keyboard: 'M3 7h18v10H3zM7 11v.01M11 11v.01M15 11v.01M8 14h8',
  export: 'M12 15V4M7.500 8L12 3.500 16.500 8M5 13v7h14v-7',
} as const;

export type IconName = keyof typeof PATHS;

/** Dots are as wide as the stroke. */
const DOTS = new Set<IconName>(['more']);

export function Icon({ name, size = 18, filled = false }: { name: IconName; size?: number; filled?: boolean }) {
  return (
    <svg
      width={`${size / 16}rem`}
      height={`${size / 16}rem`}
      viewBox="0 0 24 24"
      fill={filled ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth={DOTS.has(name) ? 2.75 : 1.75}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      className="icon"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
