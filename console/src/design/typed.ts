/** What is typed into a search, once the typing pauses: each letter would be a request. */
import { useEffect, useState } from 'react';

export function useTyped(value: string, onSettled: (value: string) => void) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return undefined;
    const timer = setTimeout(() => onSettled(typed), 250);
    return () => clearTimeout(timer);
  }, [typed, value, onSettled]);
  return [typed, setTyped] as const;
}
