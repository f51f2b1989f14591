/** Times, durations and sizes in people's words. Times are shown in the reader's zone. */
import { useSyncExternalStore } from 'react';
import { locale, t } from '.';

const dayTime = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const exactTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });
const clockTime = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });
const hourTime = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
const dayOnly = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });

export const shortTime = (at: string | number | Date) => dayTime.format(new Date(at));
export const fullTime = (at: string | number | Date) => exactTime.format(new Date(at));
export const clock = (at: string | number | Date) => clockTime.format(new Date(at));
export const hour = (at: string | number | Date) => hourTime.format(new Date(at));
export const day = (at: string | number | Date) => dayOnly.format(new Date(at));

/** The day, or from which to which. */
export const days = (from: number, to: number) => (day(from) === day(to) ? day(from) : `${day(from)} – ${day(to)}`);

/** Seconds as the largest unit that says enough. */
export function duration(sec: number): string {
  if (sec < 60) return t.time.sec(Math.round(sec));
  if (sec < 3_600) return t.time.min(Math.round(sec / 60));
  if (sec < 172_800) {
    const minutes = Math.round(sec / 60);
    if (minutes >= 600) return t.time.hour(Math.round(minutes / 60));
    return minutes % 60 > 0 ? `${t.time.hour(Math.floor(minutes / 60))} ${t.time.min(minutes % 60)}` : t.time.hour(minutes / 60);
  }
  return t.time.day(Math.round(sec / 86_400));
}

/** Minutes and seconds of a player: 1:04. */
export function position(sec: number): string {
  const whole = Math.max(0, Math.floor(sec));
  const [hours, minutes, seconds] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const end = `${hours > 0 ? String(minutes).padStart(2, '0') : minutes}:${String(seconds).padStart(2, '0')}`;
  return hours > 0 ? `${hours}:${end}` : end;
}

export function ago(at: string | null, now: number): string {
  if (at === null) return t.time.never;
  const sec = (now - Date.parse(at)) / 1_000;
  return sec < 5 ? t.time.now : t.time.ago(duration(sec));
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** In powers of 1000, as disks are sold. */
export function bytes(count: number): string {
  let [value, unit] = [count, 0];
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1_000, unit + 1];
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

let present = Date.now();
const listeners = new Set<() => void>();
setInterval(() => {
  present = Date.now();
  for (const listener of listeners) listener();
}, 1_000);

/** Milliseconds, a second apart: for ages and countdowns. */
export function useNow(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => present,
  );
}
